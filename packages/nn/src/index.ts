export type { WeightEntry, WeightFile } from './formats/index.ts';
export {
  constant,
  fans,
  type Initializer,
  kaimingNormal,
  kaimingUniformConv,
  normal,
  truncNormal,
  uniform,
  uniformFanIn,
  xavierUniform,
} from './init.ts';
export { gelu } from './layers/activation.ts';
export { Conv2d, type Conv2dConfig, linear } from './layers/conv.ts';
export { dropout, dropPath } from './layers/dropout.ts';
export { Linear, type LinearConfig } from './layers/linear.ts';
export { BatchNorm, GroupNorm, groupNorm } from './layers/norm.ts';
export type { LoadOptions, LoadReport } from './load.ts';
export { INFERENCE, type Mode } from './mode.ts';
export { Module, ModuleList, type StateTensor } from './module.ts';
export { Parameter, type ParameterSpec } from './parameter.ts';
