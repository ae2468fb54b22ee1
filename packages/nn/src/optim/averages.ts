import { AsMlpError } from '@as-mlp/base';
import * as tf from '@tensorflow/tfjs-core';
import { checkedTensors, type MomentTensor } from './state.ts';

/** What is averaged, and how slowly. */
export interface AveragesOptions {
  /** Share of the old average that an update keeps, in (0, 1), e.g. 0.9999. */
  readonly decay: number;
  /** All tensors of the model, buffers too, under their official names. */
  readonly variables: Iterable<readonly [name: string, variable: tf.Variable]>;
}

/** The averages made by `createAverages`. Owns them and not the variables. */
export interface Averages {
  /** Takes in the weights as they are now. */
  update(): void;
  /** Puts the averages into the variables, or the weights back. Everything else here puts the weights back first. */
  put(which: 'weights' | 'averages'): void;
  exportState(): Promise<readonly MomentTensor[]>;
  /** @throws AsMlpError (weights) unless these are exactly the averages of these variables; nothing changes then. */
  importState(averages: readonly MomentTensor[]): void;
  /** Frees the averages. */
  dispose(): void;
}

/**
 * Exponential moving averages of variables (Polyak & Juditsky, 1992; timm's `ModelEmaV2`), which start as copies:
 * a ← d·a + (1 − d)·w, written as a + (1 − d)·(w − a). In float32 d and 1 − d do not add up to 1, which in the first form
 * makes the averages too small or too large: by 1.7e-4 of their size for d = 0.9999.
 */
export function createAverages({ decay, variables }: AveragesOptions): Averages {
  const params = [...variables];
  /** The averages, or the weights while the averages are in the variables. */
  const others: tf.Tensor[] = params.map(([, variable]) => tf.keep(tf.clone(variable)));
  let inside: 'weights' | 'averages' = 'weights';
  const replace = (i: number, value: tf.Tensor) => {
    others[i]!.dispose();
    others[i] = tf.keep(value);
  };
  const put = (which: 'weights' | 'averages') => {
    if (which === inside) return;
    for (const [i, [, variable]] of params.entries()) {
      const value = tf.clone(variable);
      variable.assign(others[i]!);
      replace(i, value);
    }
    inside = which;
  };
  return {
    put,
    update: () => {
      put('weights');
      for (const [i, [, variable]] of params.entries()) {
        const average = others[i]!;
        replace(
          i,
          tf.tidy(() => tf.add(average, tf.mul(tf.sub(variable, average), 1 - decay))),
        );
      }
    },
    exportState: async () => {
      put('weights');
      return Promise.all(
        params.map(async ([name, { shape }], i) => ({
          name,
          shape,
          data: (await others[i]!.data()).slice() as Float32Array,
        })),
      );
    },
    importState: (averages) => {
      const given = checkedAverages(params, averages);
      put('weights');
      for (const [i, [name, { shape }]] of params.entries()) replace(i, tf.tensor(given.get(name)!, shape));
    },
    dispose: () => {
      put('weights');
      tf.dispose(others);
    },
  };
}

/**
 * The averages of a state by name, if they are those of variables of these names and sizes.
 *
 * @throws AsMlpError `weights` when one is missing, of another size, or belongs to no variable.
 */
export function checkedAverages(
  variables: Iterable<readonly [name: string, variable: { readonly size: number }]>,
  averages: readonly MomentTensor[],
): ReadonlyMap<string, Float32Array> {
  const wanted = new Map([...variables].map(([name, { size }]) => [name, size]));
  return checkedTensors('averages', wanted, averages);
}

/** The error of who asks for averages that are not kept. */
export function noAverages(): AsMlpError {
  return new AsMlpError('usage', {
    what: 'this training keeps no averages of its weights',
    fix: 'Ask for them when the training starts',
  });
}
