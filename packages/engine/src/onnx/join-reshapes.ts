import type { Program } from '../graph/program.ts';
import { inputOf } from '../graph/program-view.ts';
import { rewrite } from '../graph/rewrite.ts';

/** A reshape of a reshape is one: fewer sizes are left to compute. */
export function joinReshapes(program: Program): Program {
  return rewrite(program, (kernel, view) => {
    if (kernel.name !== 'Reshape') return undefined;
    let x = inputOf(kernel, 'x')!;
    for (let inner = view.producer(x, 'Reshape'); inner; inner = view.producer(x, 'Reshape')) {
      x = inputOf(inner, 'x')!;
    }
    return x === kernel.inputs.x ? undefined : [{ ...kernel, inputs: { x } }];
  });
}
