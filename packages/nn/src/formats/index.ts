export { engineShape, type Layout, toEngineLayout, toOfficialLayout } from './layout.ts';
export { openWeights } from './open.ts';
export { encodeSafetensors, type NamedTensor } from './safetensors/write.ts';
export { type ByteSource, bytesSource } from './source.ts';
export type { WeightEntry, WeightFile } from './weight-file.ts';
