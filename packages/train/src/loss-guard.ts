import type { LoopRecipe } from './recipe.ts';
import type { LossMemory } from './run-state.ts';

/** Watches the losses of a run. */
export interface LossGuard {
  /** Takes the loss of one update, a finite number; returns why the run should stop, if it should. */
  check(loss: number): string | undefined;
  /** What it has to remember when the run goes on another time. */
  memory(): LossMemory;
}

/**
 * Finds losses that explode. A loss is too high when it is above `factor` times the median of the `window` good ones before,
 * and above every one of the first `updates` of the run: noise around a loss of almost nothing is none of its business. So
 * many too high ones in a row are an explosion.
 *
 * @param settings `lossGuard` of the recipe; with `null` it finds nothing.
 */
export function createLossGuard(settings: LoopRecipe['lossGuard'], memory?: LossMemory): LossGuard {
  const first = [...(memory?.first ?? [])];
  const recent = [...(memory?.recent ?? [])];
  let above = memory?.above ?? 0;
  return {
    check: (loss) => {
      if (settings === null) return undefined;
      const { factor, updates, window } = settings;
      if (first.length < updates) {
        first.push(loss);
        recent.push(loss);
        return undefined;
      }
      const median = medianOf(recent);
      if (loss > factor * Math.abs(median) && loss > Math.max(...first)) {
        above++;
        if (above < updates) return undefined;
        const times = `${above} ${above === 1 ? 'update' : 'updates in a row'}`;
        return `the loss explodes: it is ${brief(loss)}, for ${times} above ${factor} times the median of those before, ${brief(median)}`;
      }
      above = 0;
      recent.push(loss);
      if (recent.length > window) recent.shift();
      return undefined;
    },
    memory: () => ({ first: [...first], recent: [...recent], above }),
  };
}

function medianOf(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}

function brief(value: number): string {
  return String(Number(value.toPrecision(4)));
}
