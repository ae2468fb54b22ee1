/** What a span of training took. */
export interface Rates {
  readonly imgPerSec: number;
  /** Share of the time, 0 to 1, that the loop waited for data. */
  readonly dataWait: number;
}

/** Adds up times in milliseconds; knows no clock itself. */
export interface Meter {
  /** One update that took `total`, of which `waited` for data. */
  step(images: number, total: number, waited: number): void;
  /** One evaluation. */
  evaluation(total: number): void;
  /** Rates since the last call of `lap`. */
  lap(): Rates;
  /** Images a second over all updates, the first of them left out once there are more. */
  imgPerSec(): number;
  /** Share of the time of the same updates that the loop waited for data, 0 to 1. */
  dataWait(): number;
  /** Seconds that so many updates and evaluations will take; undefined before the second update. */
  remaining(updates: number, evaluations: number): number | undefined;
}

/** A meter that has measured nothing yet. */
export function createMeter(): Meter {
  const updates = createTally();
  const evaluations = createTally();
  const lap = createTally();
  const waits = createTally();
  let waited = 0;
  let isFirst = true;
  return {
    step: (images, total, wait) => {
      // The first update warms the engine up and would spoil the forecast of a short training.
      if (updates.count() === 1 && isFirst) {
        updates.clear();
        waits.clear();
        isFirst = false;
      }
      updates.add(images, total);
      waits.add(0, wait);
      lap.add(images, total);
      waited += wait;
    },
    evaluation: (total) => evaluations.add(0, total),
    lap: () => {
      const dataWait = lap.time() > 0 ? waited / lap.time() : 0;
      const rates = { imgPerSec: lap.imgPerSec(), dataWait };
      lap.clear();
      waited = 0;
      return rates;
    },
    imgPerSec: updates.imgPerSec,
    dataWait: () => (updates.time() > 0 ? waits.time() / updates.time() : 0),
    remaining: (updateCount, evaluationCount) =>
      isFirst ? undefined : (updateCount * updates.mean() + evaluationCount * evaluations.mean()) / 1000,
  };
}

/** A sum of times and of the images seen in them. */
function createTally() {
  let [entries, images, time] = [0, 0, 0];
  return {
    add: (moreImages: number, moreTime: number) => {
      entries++;
      images += moreImages;
      time += moreTime;
    },
    clear: () => {
      [entries, images, time] = [0, 0, 0];
    },
    count: () => entries,
    time: () => time,
    mean: () => (entries > 0 ? time / entries : 0),
    imgPerSec: () => (time > 0 ? (1000 * images) / time : 0),
  };
}
