import { benchVerb } from '@as-mlp/app';

/** `bench`: the forward pass of a classifier on random pixels. */
export const bench = benchVerb({
  defaultModel: 'as-mlp-tiny',
  defaultSize: '224',
  async open({ model, size }, engine) {
    const { createForwardTimer } = await import('@as-mlp/classification');
    return createForwardTimer(model, size, engine.compile);
  },
});
