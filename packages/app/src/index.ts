export { contactSheet, type Tile } from '@as-mlp/data';
export type { Engine } from '@as-mlp/engine';
export type { Command } from 'commander';
export {
  type BenchFlags,
  type BenchRow,
  type BenchTask,
  benchVerb,
  measure,
  quantile,
  type Timed,
} from './bench.ts';
export { type AppDefinition, type Cli, main, runApp, type Verb } from './cli.ts';
export { doctorVerb } from './doctor.ts';
export { type EvaluateFlags, type EvaluateTask, type EvaluationReport, evaluateVerb } from './evaluate.ts';
export { type Exportable, type ExportFlags, type ExportTask, exportVerb } from './export.ts';
export { type InfoFlags, type InfoTask, infoVerb, type ModelInfo } from './info.ts';
export {
  addEngineOptions,
  addInferenceOptions,
  type EngineFlags,
  imageSize,
  wholeNumber,
} from './options.ts';
export { createNamer, outputFolder, readLines, writeJson, writePicture, writeText } from './outputs.ts';
export { type CaptionLine, captioned, confusionPicture } from './pictures.ts';
export { type PredictFlags, type Predictor, type PredictTask, predictVerb } from './predict.ts';
export { formatCsv, formatTable } from './table.ts';
export { formatSeconds, type ProgressLine, processTerminal, type Terminal } from './terminal.ts';
export { type TrainFlags, type Training, type TrainTask, trainVerb } from './train.ts';
