export type { HostPart, HostTensor } from '@as-mlp/engine';
export { type Anomaly, describeAnomaly, watchModules } from './anomaly.ts';
export { eagerLoss } from './eager-loss.ts';
export { describeEnvironment, type Environment, type MemoryUse, memoryUse } from './environment.ts';
export type { FitListeners, FitResult, Progress, Run } from './events.ts';
export type { Failure } from './failure.ts';
export { fit } from './fit.ts';
export { type Frozen, freezeModules } from './freeze.ts';
export { type LoadedDataOptions, loadedData } from './loaded-data.ts';
export {
  type BeginRecord,
  type EvaluationRecord,
  type LogRecord,
  readRecords,
  type StepRecord,
} from './log.ts';
export { findLearningRate, type LrFindOptions, type LrPoint, type LrSweep } from './lr-find.ts';
export {
  createOverfitWatch,
  judgedByLoss,
  OVERFIT_SETTINGS,
  type OverfitData,
  type OverfitWatch,
  overfit,
} from './overfit.ts';
export { type Plan, planTraining } from './plan.ts';
export { type LoopRecipe, loopRecipe, parseRecipe, type ScheduleRecipe } from './recipe.ts';
export { type Rehearsal, rehearse } from './rehearse.ts';
export {
  type CurvesPanel,
  type CurvesSection,
  extremes,
  type MatrixSection,
  type PictureObject,
  type PicturesSection,
  type PictureView,
  type ReportPicture,
  type ReportSection,
  type TableSection,
} from './report-section.ts';
export { type RunFolder, runFolder } from './run-folder.ts';
export type { Evaluation, LossMemory, RunState } from './run-state.ts';
export {
  type LinearWarmupOptions,
  linearWarmup,
  type MultiStepOptions,
  multiStep,
  type PolyOptions,
  poly,
  type Schedule,
  scaleLr,
  type WarmupCosineOptions,
  warmupCosine,
} from './schedule.ts';
export { type StepOptions, type StepResult, trainableVariables, trainStep } from './step.ts';
export type {
  DataSummary,
  LossTerms,
  MainMetric,
  PreviewImage,
  PreviewObject,
  Task,
  TrainingData,
} from './task.ts';
export { loadForClasses, type WeightSource, withWeights } from './weight-source.ts';
