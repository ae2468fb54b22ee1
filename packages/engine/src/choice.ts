import { AsMlpError, nearest } from '@as-mlp/base';

/** What can run tensors, best first. */
export const ENGINE_NAMES = ['native', 'onnx', 'wasm', 'cpu'] as const;

/** One of {@link ENGINE_NAMES}. */
export type EngineName = (typeof ENGINE_NAMES)[number];

/** An engine, or `auto`: the best one that is there. */
export type EngineChoice = EngineName | 'auto';

/** What the native engine computes on; `auto` takes a GPU where there is one. */
export type DeviceChoice = 'auto' | 'cpu' | 'gpu';

/**
 * What each engine costs against native, measured with the backbone AS-MLP-T at 224² on two cores
 * (`docs/engine.md`).
 */
export const ENGINE_COST: Readonly<Record<EngineName, string>> = {
  native: 'full speed',
  onnx: 'as fast to predict, but training is 2 to 7 times slower',
  wasm: '2 to 7 times slower',
  cpu: 'some 100 times slower',
};

/**
 * The engine to use: an explicit choice, else `ASMLP_ENGINE`, else `auto`.
 *
 * @throws AsMlpError `usage` for a name that is none of native, onnx, wasm, cpu, auto.
 */
export function chooseEngine(asked: string | undefined, env: NodeJS.ProcessEnv): EngineChoice {
  const explicit = asked !== undefined && asked !== 'auto';
  const name = explicit ? asked : env.ASMLP_ENGINE || 'auto';
  const known: readonly EngineChoice[] = [...ENGINE_NAMES, 'auto'];
  const choice = known.find((candidate) => candidate === name);
  if (choice) return choice;
  const near = nearest(name, known);
  throw new AsMlpError('usage', {
    where: explicit ? '--engine' : 'ASMLP_ENGINE',
    what: `there is no engine ${JSON.stringify(name)}`,
    fix: `${near ? `Did you mean ${near}? ` : ''}Use ${ENGINE_NAMES.join(', ')} or auto`,
  });
}
