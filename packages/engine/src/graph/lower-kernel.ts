import type { GraphAttribute } from '../graph-def.ts';
import type { GraphLowering } from './graph-lowering.ts';
import type { ProgramKernel } from './program.ts';
import type { ValueId } from './trace.ts';

/** Writes the nodes of one kernel. */
export type LowerKernel = (graph: GraphLowering, kernel: ProgramKernel) => void;

/** Kernels of tfjs-core and how each is written. */
export type Lowerings = Readonly<Record<string, LowerKernel>>;

/** The type attribute of most operations. */
export const typeOf = (
  graph: GraphLowering,
  kernel: ProgramKernel,
  key: string,
): Record<string, GraphAttribute> => ({
  T: { type: graph.dtype(kernel.inputs[key] as ValueId) },
});

/** Kernels whose inputs are a list come under the keys 0, 1, 2, … */
export const listOf = (graph: GraphLowering, { inputs }: ProgramKernel): string[] =>
  Object.values(inputs).map((id) => graph.value(id as ValueId));
