import type { Compiled, CompileOptions, TensorFunction } from '@as-mlp/nn';
import * as tf from '@tensorflow/tfjs-core';
import { checkInputs, recordProgram } from '../graph/compile.ts';
import { encodeOnnx } from './encode.ts';
import { type OnnxSessionTensor, openOnnxSession } from './session.ts';

/**
 * Makes `fn` fast without TensorFlow: records what it does on the current backend, and gives that to ONNX Runtime as one
 * model, which serves every size that `inputs` leaves open. Variables are frozen to the values they have now.
 *
 * @throws AsMlpError `usage` when `fn` reads the values of a tensor, does other things for other sizes, or uses what has
 * no counterpart there.
 */
export async function compileForOnnx<F extends TensorFunction>(
  fn: F,
  { inputs: specs }: CompileOptions,
  threads: number,
): Promise<Compiled<F>> {
  const program = recordProgram((tensors) => fn(...tensors), specs);
  const inputs = specs.map((_, i) => ({ name: `input_${i}` }));
  const outputs = program.outputs.map((_, i) => `output_${i}`);
  const session = await openOnnxSession(encodeOnnx(program, { inputs, outputs }), { threads });
  const run = async (...given: Parameters<F>) => {
    checkInputs(given, specs);
    const feeds = await Promise.all(
      given.map(async (tensor, i) => {
        const { dtype, shape } = tensor;
        return [inputs[i]!.name, { dtype, shape, data: await tensor.data() } as OnnxSessionTensor] as const;
      }),
    );
    const found = await session.run(Object.fromEntries(feeds));
    const tensors = outputs.map((name) => {
      const { data, shape, dtype } = found[name]!;
      return tf.tensor(data, [...shape], dtype);
    });
    return (tensors.length === 1 ? tensors[0] : tensors) as ReturnType<F>;
  };
  return Object.assign(run, { isGraph: true, dispose: () => session.dispose() });
}
