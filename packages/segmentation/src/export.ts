import type { InputSpec, TensorFunction } from '@as-mlp/nn';
import type { WeightSource } from '@as-mlp/train';
import type * as tf from '@tensorflow/tfjs-core';
import { loadSegmenter } from './load.ts';
import { encodeMetadata } from './metadata.ts';
import type { SegmentationModel } from './model.ts';
import type { SegmenterOptions } from './segmenter.ts';

/** A function of a network as other programs call it, with sizes of the input on which both sides are compared. */
export interface ExportablePart {
  readonly forward: TensorFunction;
  readonly spec: {
    readonly inputs: readonly (InputSpec & { readonly name: string })[];
    readonly outputs: readonly string[];
  };
  readonly samples: readonly (readonly number[])[];
}

/** A segmenter with what other programs need to know of it. */
export interface ExportableSegmenter {
  readonly notes: readonly string[];
  readonly model: SegmentationModel;
  /** One: normalised images `[B, H, W, 3]` → logits `[B, ⌈H / 4⌉, ⌈W / 4⌉, K]`. */
  readonly parts: readonly [ExportablePart];
  /** Class names, colours, preprocessing and architecture, as the weight files of this project carry them. */
  readonly metadata: Record<string, string>;
  reload(file: string): Promise<ExportableSegmenter>;
  dispose(): void;
}

/** Loads a segmenter to write it in another format. Throws as {@link loadSegmenter}. */
export async function segmenterForExport(
  source: WeightSource,
  options: SegmenterOptions = {},
): Promise<ExportableSegmenter> {
  const { model, labels, palette, preprocessing, notes, dispose } = await loadSegmenter(source, options);
  // Large enough to say something, small enough to be quick; the second has sides that no stride divides.
  const side = Math.min(128, preprocessing.shortSide);
  return {
    notes,
    model,
    parts: [
      {
        forward: (images) => model.forward(images as tf.Tensor4D),
        spec: {
          inputs: [{ name: 'images', shape: ['batch', 'height', 'width', 3] }],
          outputs: ['logits'],
        },
        samples: [
          [2, side, side, 3],
          [1, side + 5, side + 45, 3],
        ],
      },
    ],
    metadata: encodeMetadata(model.config, labels, palette, preprocessing),
    reload: (file) => segmenterForExport(file),
    dispose,
  };
}
