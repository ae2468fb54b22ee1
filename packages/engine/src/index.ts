export {
  chooseEngine,
  type DeviceChoice,
  ENGINE_COST,
  ENGINE_NAMES,
  type EngineChoice,
  type EngineName,
} from './choice.ts';
export { describeEngine, type Engine, type EngineOptions, openEngine } from './engine.ts';
export { type Prepared, type PrepareOptions, prepareEngine } from './install.ts';
export { type FileSource, fileSource, writeFileAtomic } from './node-io.ts';
