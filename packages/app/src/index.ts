export { contactSheet, type LabelMap, type Rgb, type RgbImage, type Tile } from '@as-mlp/data';
export type { Engine } from '@as-mlp/engine';
export type { Command } from 'commander';
export { type AnnotateOptions, annotated, classColour, type MarkedObject } from './annotate.ts';
export {
  type BenchFlags,
  type BenchRow,
  type BenchTask,
  benchVerb,
  measure,
  quantile,
  type Timed,
} from './bench.ts';
export { type CheckDataFlags, type CheckDataTask, checkDataVerb } from './check-data.ts';
export { type AppDefinition, type Cli, main, runApp, type Verb } from './cli.ts';
export { type Curve, type CurveFigure, type CurvePanel, curveFigure } from './curves.ts';
export { doctorVerb } from './doctor.ts';
export {
  type EvaluateFlags,
  type EvaluateTask,
  type EvaluationReport,
  evaluateVerb,
  presentReport,
} from './evaluate.ts';
export { type Exportable, type ExportFlags, type ExportPart, type ExportTask, exportVerb } from './export.ts';
export {
  type InfoFlags,
  type InfoTask,
  infoVerb,
  isWeightFile,
  type ModelInfo,
  type ModelPart,
  shiftFact,
} from './info.ts';
export { type InspectedExample, type InspectFlags, type InspectTask, inspectVerb } from './inspect.ts';
export { type LegendEntry, withLegend } from './legend.ts';
export { type ChartLine, type LineChart, lineChart, sparkline } from './line-chart.ts';
export { lrFindVerb } from './lr-find.ts';
export {
  addComputeOptions,
  addDenseRecipeOptions,
  addEngineOptions,
  applySettings,
  choice,
  collect,
  type DenseRecipeFlags,
  type EngineFlags,
  fraction,
  imageSize,
  positiveNumbers,
  sides,
  wholeNumber,
} from './options.ts';
export {
  checkTarget,
  createNamer,
  outputFolder,
  readLines,
  writeJson,
  writeLabels,
  writePicture,
  writeText,
} from './outputs.ts';
export { type OverlayOptions, overlaid } from './overlay.ts';
export { type CaptionLine, captioned, confusionPicture } from './pictures.ts';
export { type PredictFlags, type Predictor, type PredictTask, predictVerb } from './predict.ts';
export { formatCsv, formatTable, percent } from './table.ts';
export {
  formatSeconds,
  type MemoryTerminal,
  memoryTerminal,
  type ProgressLine,
  processTerminal,
  type Terminal,
} from './terminal.ts';
export { type TrainFlags, type TrainTask, trainVerb } from './train.ts';
export type { Training } from './training.ts';
export { type WeightFlags, weightOptions, weightSettings } from './weights.ts';
