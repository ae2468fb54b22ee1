import type { Outcome } from './rounds.ts';

/** What was measured, where, and when. */
export interface About {
  readonly model: string;
  readonly side: number;
  readonly rounds: number;
  readonly date: string;
  readonly node: string;
  readonly processor: string;
  readonly processors: number;
  /** Largest difference of PyTorch's logits to this project's, when PyTorch took part. */
  readonly difference?: number;
}

/** The forward pass. */
export interface InferenceFigures {
  readonly batches: readonly { readonly batch: number; readonly outcomes: readonly Outcome[] }[];
  /** Floating-point operations of one image, two for each multiply-accumulate. */
  readonly flops: number;
  /** The best rate of a matrix product, in operations a second. */
  readonly gemm: readonly { readonly name: string; readonly rate: number }[];
}

/** One update on a batch. */
export interface TrainingFigures {
  readonly batch: number;
  readonly outcomes: readonly Outcome[];
}

/** From the command to the answer, and the loading of a checkpoint alone. Milliseconds, not for one image. */
export interface StartFigures {
  readonly prediction: readonly Outcome[];
  readonly loading: readonly Outcome[];
  /** `.pth` or `.safetensors`. */
  readonly format: string;
}

/** Photos to normalised values. */
export interface PipelineFigures {
  readonly outcomes: readonly Outcome[];
}

/** One size of the compiled network. */
export interface ScalingPoint {
  readonly batch: number;
  readonly side: number;
  readonly p50: number;
  readonly peakMiB: number | undefined;
}

/** Time and memory against batch, and against the side of the image. */
export interface ScalingFigures {
  readonly batches: readonly ScalingPoint[];
  readonly sides: readonly ScalingPoint[];
}

/** All that one run, or several with `--only`, found out. */
export interface Figures {
  readonly about: About;
  readonly inference?: InferenceFigures;
  readonly training?: TrainingFigures;
  readonly start?: StartFigures;
  readonly pipeline?: PipelineFigures;
  readonly scaling?: ScalingFigures;
}
