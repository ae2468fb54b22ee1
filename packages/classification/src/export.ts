import type { TensorFunction } from '@as-mlp/nn';
import type { WeightSource } from '@as-mlp/train';
import type * as tf from '@tensorflow/tfjs-core';
import type { ClassifierOptions } from './classifier.ts';
import { loadClassifier } from './load.ts';
import { encodeMetadata } from './metadata.ts';
import type { ClassificationModel } from './model.ts';

/** A classifier with what other programs need to know of it. */
export interface ExportableClassifier {
  readonly notes: readonly string[];
  readonly model: ClassificationModel;
  /** One: normalised images `[B, H, W, 3]` → logits `[B, K]`. */
  readonly parts: readonly [
    {
      readonly forward: TensorFunction;
      readonly spec: {
        readonly inputs: readonly [
          { readonly name: 'images'; readonly shape: readonly ['batch', 'height', 'width', 3] },
        ];
        readonly outputs: readonly ['logits'];
      };
      readonly samples: readonly (readonly number[])[];
    },
  ];
  /** Class names, preprocessing and architecture, as the weight files of this project carry them. */
  readonly metadata: Record<string, string>;
  reload(file: string): Promise<ExportableClassifier>;
  dispose(): void;
}

/** Loads a classifier to write it in another format. Throws as {@link loadClassifier}. */
export async function classifierForExport(
  source: WeightSource,
  options: ClassifierOptions = {},
): Promise<ExportableClassifier> {
  const { model, labels, preprocessing, notes, dispose } = await loadClassifier(source, options);
  const { size } = preprocessing;
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
          [2, size, size, 3],
          [1, size + 33, size - 10 > 0 ? size - 10 : size, 3],
        ],
      },
    ],
    metadata: encodeMetadata(model.config, labels, preprocessing),
    reload: (file) => classifierForExport(file),
    dispose,
  };
}
