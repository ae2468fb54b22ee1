import type { Rng } from '@as-mlp/base';
import type { InputSpec } from '@as-mlp/nn';

/** A tensor on the host, float32 or int32 as its array. */
export interface HostTensor {
  readonly shape: readonly number[];
  readonly data: Float32Array | Int32Array;
}

/**
 * What plain code computes in the middle of a loss, where no graph can: choosing, say, what the rest of the loss looks at. The
 * loss asks it by `mode.ask`. In a compiled step each question is a run of its own, of what the asked values need; the run that
 * updates computes it again.
 */
export interface HostPart {
  /** What the tensors of each answer are, for the questions in their order. Lists have lengths from 1. */
  readonly answers: readonly (readonly InputSpec[])[];
  /**
   * Begins with a batch. The function that it returns is called once for each question, and may remember what was before; the
   * values that it is given are gone afterwards.
   *
   * @param tensors all tensors of the batch.
   * @param rng the random numbers of the batch; the forward pass draws from it too, so fork it.
   */
  begin(tensors: readonly HostTensor[], rng: Rng): (values: readonly HostTensor[]) => readonly HostTensor[];
}
