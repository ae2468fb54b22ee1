import {
  engineShape,
  type Module,
  type MomentTensor,
  type StateTensor,
  toEngineLayout,
  toOfficialLayout,
} from '@as-mlp/nn';

/** Averages of the tensors of `model` as a weight file holds them: in the official layout. */
export function averagesToFile(model: Module, averages: readonly MomentTensor[]): StateTensor[] {
  const given = new Map(averages.map(({ name, data }) => [name, data]));
  return [...model.namedTensors()].map(([name, { layout, shape }]) => {
    return { name, shape, data: toOfficialLayout(layout, given.get(name)!, shape) };
  });
}

/** The way back; `importState` finds what does not belong to the model. */
export function averagesFromFile(model: Module, tensors: readonly StateTensor[]): MomentTensor[] {
  const parameters = new Map(model.namedTensors());
  return tensors.map(({ name, shape, data }) => {
    const layout = parameters.get(name)?.layout ?? 'plain';
    return { name, shape: engineShape(layout, shape), data: toEngineLayout(layout, data, shape) };
  });
}
