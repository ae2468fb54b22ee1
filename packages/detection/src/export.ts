import type { InputSpec, TensorFunction } from '@as-mlp/nn';
import type { WeightSource } from '@as-mlp/train';
import { BOX_CELLS, BOX_STAGES, MASK_CELLS } from './config.ts';
import type { DetectorOptions } from './detector.ts';
import { loadDetector } from './load.ts';
import { encodeMetadata } from './metadata.ts';
import type { DetectionModel } from './model.ts';
import { boxPart, densePart, maskPart } from './predict/parts.ts';
import { canvasSize } from './predict/preprocess.ts';

/** One of the functions between which a program chooses regions. */
export interface ExportablePart {
  /** `dense`; `box_head`, or `box_head_0` … `box_head_2` of a cascade; `mask_head`. */
  readonly name: string;
  readonly forward: TensorFunction;
  readonly spec: {
    readonly inputs: readonly (InputSpec & { readonly name: string })[];
    readonly outputs: readonly string[];
  };
  /** Sizes of the input on which both sides are compared. */
  readonly samples: readonly (readonly number[])[];
}

/** A detector with what other programs need to know of it. */
export interface ExportableDetector {
  readonly notes: readonly string[];
  readonly model: DetectionModel;
  readonly parts: readonly ExportablePart[];
  /** Class names, preprocessing and architecture, as the weight files of this project carry them. */
  readonly metadata: Record<string, string>;
  reload(file: string): Promise<ExportableDetector>;
  dispose(): void;
}

/** Loads a detector to write it in another format. Throws as {@link loadDetector}. */
export async function detectorForExport(
  source: WeightSource,
  options: DetectorOptions = {},
): Promise<ExportableDetector> {
  const { model, labels, preprocessing, notes, dispose } = await loadDetector(source, options);
  const { channels, architecture } = model.config;
  const levels = model.neck.strides.map((_, level) => `p${level + 2}`);
  const maps = levels.slice(0, -1);
  // Large enough to say something, small enough to be quick.
  const side = Math.min(256, preprocessing.shortSide);
  const [square, lying] = [
    canvasSize({ height: side, width: side }),
    canvasSize({ height: side, width: side + 32 }),
  ];
  const dense: ExportablePart = {
    name: 'dense',
    forward: densePart(model),
    spec: {
      inputs: [{ name: 'images', shape: ['batch', 'height', 'width', 3] }],
      outputs: [...maps, ...levels.flatMap((level) => [`rpn_logits_${level}`, `rpn_deltas_${level}`])],
    },
    samples: [square, lying].map(({ height, width }) => [1, height, width, 3]),
  };
  const regions = (cells: number) => [{ name: 'regions', shape: ['batch', cells, cells, channels] }] as const;
  const counts = (cells: number) => [3, 2].map((count) => [count, cells, cells, channels]);
  const stages = BOX_STAGES[architecture];
  const boxes = stages.map((_, stage): ExportablePart => {
    const name = stages.length > 1 ? `box_head_${stage}` : 'box_head';
    const spec = { inputs: regions(BOX_CELLS), outputs: ['logits', 'deltas'] };
    return { name, forward: boxPart(model, stage), spec, samples: counts(BOX_CELLS) };
  });
  const masks: ExportablePart = {
    name: 'mask_head',
    forward: maskPart(model),
    spec: { inputs: regions(MASK_CELLS), outputs: ['masks'] },
    samples: counts(MASK_CELLS),
  };
  return {
    notes,
    model,
    parts: [dense, ...boxes, masks],
    metadata: encodeMetadata(model.config, labels, preprocessing),
    reload: (file) => detectorForExport(file),
    dispose,
  };
}
