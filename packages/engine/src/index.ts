export {
  chooseEngine,
  type DeviceChoice,
  ENGINE_COST,
  ENGINE_NAMES,
  type EngineChoice,
  type EngineName,
} from './choice.ts';
export { type CacheItem, type DiagnoseOptions, type Diagnosis, diagnose, type Trouble } from './diagnose.ts';
export { describeEngine, type Engine, type EngineOptions, openEngine } from './engine.ts';
export { exportOnnx, runOnnx } from './export/export-onnx.ts';
export { type ExportSpec, exportSavedModel, runSavedModel } from './export/export-saved-model.ts';
export { formatDiagnosis } from './format-diagnosis.ts';
export { countMacs } from './graph/count-macs.ts';
export type { HostPart, HostTensor } from './graph/host-part.ts';
export type { TrainingStepOptions } from './graph/record-step.ts';
export type {
  StepBatch,
  StepReport,
  TrainingState,
  TrainingStep,
} from './graph/training.ts';
export {
  encodeGraphDef,
  type GraphArrays,
  type GraphAttribute,
  type GraphDtype,
  type GraphNode,
  type GraphNodeDtype,
  type GraphTensor,
} from './graph-def.ts';
export {
  type GraphFeed,
  type GraphSession,
  type GraphSessionOptions,
  openGraphSession,
} from './graph-session.ts';
export { type Prepared, type PrepareOptions, prepareEngine } from './install.ts';
export { ProtobufWriter } from './protobuf.ts';
