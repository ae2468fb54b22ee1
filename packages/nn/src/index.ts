export {
  type Compile,
  type Compiled,
  type CompileOptions,
  type InputSpec,
  type MacCounts,
  type OpenSize,
  type Precision,
  runEagerly,
  type TensorFunction,
} from './compile.ts';
export { type CustomGradient, customGradient } from './custom-gradient.ts';
export {
  type ByteSource,
  bytesSource,
  encodeSafetensors,
  engineShape,
  type Layout,
  type NamedTensor,
  openWeights,
  toEngineLayout,
  toOfficialLayout,
  type WeightEntry,
  type WeightFile,
} from './formats/index.ts';
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
export { ConvTranspose2d, type ConvTranspose2dConfig } from './layers/conv-transpose.ts';
export { ConvUnit, type ConvUnitConfig } from './layers/conv-unit.ts';
export { channelDropout, dropout, dropPath } from './layers/dropout.ts';
export { Linear, type LinearConfig } from './layers/linear.ts';
export { BatchNorm, GroupNorm, groupNorm } from './layers/norm.ts';
export type { LoadOptions, LoadReport } from './load.ts';
export {
  binaryCrossEntropyWithLogits,
  type Loss,
  type LossOptions,
  l1Loss,
  type Reduction,
  reduceLoss,
  type SmoothL1Options,
  smoothL1Loss,
} from './losses.ts';
export { type CrossEntropyOptions, crossEntropy } from './losses-cross-entropy.ts';
export { type GiouOptions, giouLoss } from './losses-giou.ts';
export { drawUniform, INFERENCE, type Mode } from './mode.ts';
export { Module, ModuleList, type StateTensor } from './module.ts';
export {
  type AdamW,
  type AdamWGroup,
  type AdamWOptions,
  type AdamWState,
  assertGradients,
  checkedMoments,
  createAdamW,
} from './optim/adamw.ts';
export {
  type Averages,
  type AveragesOptions,
  checkedAverages,
  createAverages,
  noAverages,
} from './optim/averages.ts';
export { CLIP_EPSILON, type ClippedNorm, clipGradNorm, globalNorm } from './optim/clip.ts';
export { type AdamStep, correctAdam } from './optim/moments.ts';
export { type DecayRule, splitDecay } from './optim/split-decay.ts';
export type { MomentTensor } from './optim/state.ts';
export { Parameter, type ParameterSpec } from './parameter.ts';
export { adaptiveAvgPool } from './pool.ts';
export { resizeBilinear, resizeNearest, type Size } from './resize.ts';
