import { checkDataVerb } from '@as-mlp/app';

/** `check-data`: classes, sizes and faults of a data set. */
export const checkData = checkDataVerb({
  async check({ data }, options) {
    const { checkSegmentationData } = await import('@as-mlp/segmentation');
    return checkSegmentationData(data, options);
  },
});
