import type { Engine } from '@as-mlp/engine';
import type { MemoryUse } from './environment.ts';
import type { Evaluation } from './run-state.ts';
import type { StepResult } from './step.ts';

/** Where a run lives. */
export interface Run {
  /** The run folder: made if it is not there; must be empty unless `resume` is true. */
  readonly folder: string;
  /** Go on from the last checkpoint in `folder`; start anew where there is nothing yet. Default false. */
  readonly resume?: boolean | undefined;
  /** What `openEngine` returned, for the record. */
  readonly engine?: Engine | undefined;
  /**
   * Look at what every layer gives and is given back, and stop at the first number that is not finite with the layer's name.
   * Nothing is compiled then, and training is slower by far. Default false.
   */
  readonly detectAnomaly?: boolean | undefined;
}

/** How far a training is. */
export interface Progress extends StepResult {
  /** Updates done, and in all. */
  readonly step: number;
  readonly totalSteps: number;
  /** The current epoch, from 1, and the last one. */
  readonly epoch: number;
  readonly epochs: number;
  readonly learningRate: number;
  /** Images a second, mean since the training began or was resumed. */
  readonly imgPerSec: number;
  /** Share of the time since then that the loop waited for data, 0 to 1. */
  readonly dataWait: number;
  readonly memory: MemoryUse;
  /** Seconds until the end, evaluations included; undefined before the second update. */
  readonly etaSeconds: number | undefined;
}

/** What a caller may listen to. A listener that throws ends the training. */
export interface FitListeners {
  /** After each update. */
  progress?(progress: Progress): void;
  /**
   * After each evaluation, which is saved by then; `best` when its weights are the best so far. The model has the evaluated weights
   * until the promise is kept.
   */
  evaluation?(evaluation: Evaluation, best: boolean): void | Promise<void>;
  /** A checkpoint has been saved in `folder` after `step` updates. */
  checkpoint?(folder: string, step: number): void;
  /** One line that the user should read. */
  notice?(line: string): void;
}

/** How a training ended. */
export interface FitResult {
  /** False when the signal stopped it; the run can be resumed. */
  readonly completed: boolean;
  /** Updates done. */
  readonly step: number;
  /** Every evaluation, oldest first. */
  readonly history: readonly Evaluation[];
  /** The one with the best metric; its weights are in `best.safetensors`. */
  readonly best: Evaluation | null;
  /** The folder of the last checkpoint; `model.safetensors` in it holds the last weights. */
  readonly checkpoint: string;
}
