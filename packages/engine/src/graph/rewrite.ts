import { type Program, type ProgramKernel, withoutIdle } from './program.ts';
import { ProgramView } from './program-view.ts';

/**
 * What to run instead of a kernel: kernels that give all its outputs. Undefined leaves it as it is. What only the
 * replaced kernel needed goes away by itself.
 */
export type Rule = (kernel: ProgramKernel, view: ProgramView) => readonly ProgramKernel[] | undefined;

/** Applies a rule to every kernel of a program, once. */
export function rewrite(program: Program, rule: Rule): Program {
  const view = new ProgramView(program);
  const kernels = program.kernels.flatMap((kernel) => rule(kernel, view) ?? [kernel]);
  return withoutIdle({ ...program, values: view.values, constants: view.allConstants(), kernels });
}
