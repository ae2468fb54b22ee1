import { AsMlpError } from '@as-mlp/base';
import { describe, expect, it } from 'vitest';
import { type ExampleSource, openExamples } from './data/examples.ts';
import { evaluateSegmenter } from './evaluate.ts';
import { addToConfusion, createConfusion } from './metrics/confusion.ts';
import { segmentationMetrics } from './metrics/metrics.ts';
import { createSegmentationModel } from './model.ts';
import { createSegmenter } from './segmenter.ts';

const scenes = openExamples('digit-scenes', 'val');
const open = (numClasses: number) =>
  createSegmenter(
    createSegmentationModel('upernet-as-mlp-nano', { numClasses, channels: 8, auxiliaryChannels: 0 }),
    { labels: scenes.labels.slice(0, numClasses), preprocessing: { longSide: 64, shortSide: 64 } },
  );
const broken: ExampleSource = {
  ...scenes,
  length: 3,
  load: async (index) => {
    if (index !== 1) return scenes.load(index);
    throw new AsMlpError('image', { where: 'scene 1', what: 'it is torn', fix: 'Mend it' });
  },
};

describe('evaluateSegmenter', () => {
  it('counts every pixel of the images that can be read, at their own size', async () => {
    const segmenter = open(11);
    const confusion = createConfusion(11);
    for (const index of [0, 2]) {
      const { image, labels } = await scenes.load(index);
      addToConfusion(confusion, await segmenter.segmentLabels(image), labels);
    }
    const seen: number[] = [];
    const { metrics, failures } = await evaluateSegmenter(segmenter, {
      data: broken,
      onError: 'skip',
      onProgress: (done) => void seen.push(done),
    });
    expect(metrics).toEqual(segmentationMetrics(confusion, scenes.labels));
    expect(metrics.confusion.flat().reduce((sum, count) => sum + count, 0)).toBe(2 * 160 * 160);
    expect(failures.map(({ message }) => message)).toEqual(['scene 1: it is torn. Mend it.']);
    expect(seen).toEqual([1, 2, 3]);
    await expect(evaluateSegmenter(segmenter, { data: broken })).rejects.toThrow('it is torn');
    segmenter.dispose();
  });

  it('refuses another number of classes', async () => {
    const segmenter = open(10);
    await expect(evaluateSegmenter(segmenter, { data: 'digit-scenes' })).rejects.toThrow(
      'digit-scenes: it has 11 classes, and the network 10',
    );
    segmenter.dispose();
  });
});
