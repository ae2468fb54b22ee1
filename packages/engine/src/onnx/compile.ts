import type { Compiled, CompileOptions, TensorFunction } from '@as-mlp/nn';
import { compileProgram } from '../graph/compile.ts';
import { graphFunction } from '../graph/graph-function.ts';
import { bf16NotHere } from '../precision.ts';
import { encodeOnnx } from './encode.ts';
import { openOnnxSession, runInOrder } from './session.ts';

/**
 * Makes `fn` fast without TensorFlow: records what it does on the current backend, and gives that to ONNX Runtime as one
 * model, which serves every size that `inputs` leaves open. Variables are frozen to the values they have now.
 *
 * @throws AsMlpError `usage` when `fn` reads the values of a tensor, does other things for other sizes, or uses what has
 * no counterpart there, or `bf16` is asked for.
 */
export async function compileForOnnx<F extends TensorFunction>(
  fn: F,
  options: CompileOptions,
  threads: number,
): Promise<Compiled<F>> {
  const { inputs: specs, precision } = options;
  if (precision === 'bf16') throw bf16NotHere('ONNX Runtime computes');
  const program = await compileProgram(fn, options);
  const inputs = specs.map((_, i) => ({ name: `input_${i}` }));
  const outputs = program.outputs.map((_, i) => `output_${i}`);
  const session = await openOnnxSession(encodeOnnx(program, { inputs, outputs }), { threads });
  return graphFunction(specs, {
    run: (values) => runInOrder(session, values),
    // They are in the memory of JavaScript, whose collector knows their size.
    free: () => undefined,
    dispose: () => session.dispose(),
  });
}
