import { AsMlpError, nearest } from '@as-mlp/base';
import { z } from 'zod';

const rate = z.number().nonnegative();
const count = z.number().int().nonnegative();
const linearWarmup = { warmupSteps: count, warmupRatio: z.number().min(0).max(1) };

/** Learning rate over time. Which one, and what it needs. */
const scheduleSchema = z.discriminatedUnion('kind', [
  z.strictObject({
    kind: z.literal('cosine').default('cosine'),
    /** Length of the linear warm-up; fractions allowed. */
    warmupEpochs: z.number().nonnegative().default(20),
    /** Rate at the start of the warm-up; scales like `lr`. */
    warmupLr: rate.default(5e-7),
    /** Rate at the end; scales like `lr`. */
    minLr: rate.default(5e-6),
    /** Apply every rate one update late, as the official training does. */
    lag: z.boolean().default(true),
  }),
  z.strictObject({
    kind: z.literal('multi-step'),
    /** Epochs after which the rate is multiplied by `gamma`. */
    milestones: z.array(z.number().nonnegative()).default([8, 11]),
    gamma: rate.default(0.1),
    warmupSteps: linearWarmup.warmupSteps.default(500),
    warmupRatio: linearWarmup.warmupRatio.default(0.001),
  }),
  z.strictObject({
    kind: z.literal('poly'),
    power: z.number().positive().default(1),
    /** Rate at the end; scales like `lr`. */
    minLr: rate.default(0),
    warmupSteps: linearWarmup.warmupSteps.default(1500),
    warmupRatio: linearWarmup.warmupRatio.default(1e-6),
  }),
]);

/** When a loss counts as exploding. */
const lossGuardSchema = z.strictObject({
  /** The loss may be this many times the median of the updates before. */
  factor: z.number().gt(1).default(10),
  /** So many updates in a row above it stop the run. */
  updates: z.number().int().positive().default(5),
  /** Updates that the median is taken over. */
  window: z.number().int().positive().default(100),
});

/**
 * What the training loop itself needs to know; a task extends it with its own sections
 * (`loopRecipe.extend({ augmentation: … })`). The defaults are those of the official ImageNet recipe.
 */
export const loopRecipe = z.strictObject({
  epochs: z.number().int().positive().default(300),
  /** Images in one batch of the task. */
  batchSize: z.number().int().positive().default(128),
  /** Batches whose gradients are averaged into one update. */
  accumulate: z.number().int().positive().default(1),
  /** Peak learning rate. */
  lr: z.number().positive().default(5e-4),
  /** Images an update that `lr` is meant for; it scales linearly with the real number. `null`: take `lr` as it is. */
  lrBatch: z.number().int().positive().nullable().default(512),
  schedule: scheduleSchema.prefault({}),
  /** Decoupled weight decay of AdamW; the task's rule says which parameters are spared. */
  weightDecay: rate.default(0.05),
  betas: z.tuple([z.number().min(0).lt(1), z.number().min(0).lt(1)]).default([0.9, 0.999]),
  eps: z.number().positive().default(1e-8),
  /** Largest norm of all gradients together. `null`: no clipping. */
  clipNorm: z.number().positive().nullable().default(5),
  /**
   * Share of the old value that each update keeps in the moving averages of all weights, e.g. 0.9999; evaluations and the
   * best weights are those of the averages then. `null`: no averages.
   */
  emaDecay: z.number().gt(0).lt(1).nullable().default(null),
  /**
   * Modules that are not trained: names or beginnings of names such as `backbone.layers.0`, with `*` for any one part of a name
   * and `**` for any number of them.
   */
  freeze: z.array(z.string().min(1)).default([]),
  /** Stops a run whose loss explodes. `null`: whatever is finite goes on. */
  lossGuard: lossGuardSchema.nullable().prefault({}),
  /** Everything random in a run follows from it. */
  seed: z.number().int().nonnegative().default(0),
  /** Evaluate after every so many epochs, and always after the last one; 0: only then. */
  evalEvery: count.default(1),
  /** The best weights that are kept. 1: `best.safetensors` alone; with more, `best/` holds so many. */
  keepBest: z.number().int().positive().default(1),
  /** Save a checkpoint after every so many updates, and always at the end of an epoch; 0: only then. */
  saveEvery: count.default(0),
  /** Log every so many updates. */
  logEvery: z.number().int().positive().default(10),
});

/** A resolved recipe, as far as the loop reads it. A task's larger recipe is one too. */
export type LoopRecipe = z.infer<typeof loopRecipe>;

/** The `schedule` section of a recipe. */
export type ScheduleRecipe = LoopRecipe['schedule'];

/**
 * Fills in the defaults of a recipe and checks every value.
 *
 * @param schema `loopRecipe` or an extension of it.
 * @param values what the user set, e.g. from a JSON file or the command line.
 * @param source its name in messages.
 * @throws AsMlpError (usage) that names the first wrong value, or an unknown key and the nearest known one.
 */
export function parseRecipe<S extends z.ZodType>(schema: S, values: unknown, source = 'recipe'): z.output<S> {
  const result = schema.safeParse(values);
  if (result.success) return result.data;
  const issues = result.error.issues;
  // A misspelt key is the likelier mistake than the value that is then missing.
  const issue = issues.find(({ code }) => code === 'unrecognized_keys') ?? issues[0]!;
  const path = issue.path.map(String);
  if (issue.code === 'unrecognized_keys') {
    const key = issue.keys[0]!;
    const known = knownKeys(schema, path, values);
    const guess = nearest(key, known);
    throw new AsMlpError('usage', {
      where: source,
      what: `there is no setting "${[...path, key].join('.')}"`,
      fix: guess ? `Did you mean "${[...path, guess].join('.')}"` : `Known here: ${known.join(', ')}`,
    });
  }
  const what =
    issue.code === 'invalid_union' && 'options' in issue
      ? `the only values are ${listed(issue.options)}`
      : issue.message.charAt(0).toLowerCase() + issue.message.slice(1);
  throw new AsMlpError('usage', {
    where: source,
    what: `${path.join('.') || 'the recipe'} is wrong: ${what}`,
    fix: 'Correct the value or leave it out',
  });
}

function listed(options: unknown): string {
  const names = Array.isArray(options) ? options.filter((option) => typeof option === 'string') : [];
  return names.map((name) => `"${name}"`).join(', ');
}

/** The keys that the schema allows at `path`; in a union, those of the alternative that `values` chose. */
function knownKeys(schema: z.core.$ZodType, path: readonly string[], values: unknown): string[] {
  if (schema instanceof z.ZodDefault || schema instanceof z.ZodPrefault || schema instanceof z.ZodNullable) {
    return knownKeys(schema.unwrap(), path, values);
  }
  if (schema instanceof z.ZodDiscriminatedUnion) {
    const chosen = schema.options.find((option) => {
      const { discriminator } = schema.def;
      const result =
        option instanceof z.ZodObject
          ? option.shape[discriminator].safeParse(at(values, discriminator))
          : undefined;
      return result?.success;
    });
    return chosen ? knownKeys(chosen, path, values) : [];
  }
  if (!(schema instanceof z.ZodObject)) return [];
  const [key, ...rest] = path;
  if (key === undefined) return Object.keys(schema.shape);
  return knownKeys(schema.shape[key], rest, at(values, key));
}

function at(values: unknown, key: string): unknown {
  return typeof values === 'object' && values !== null ? Reflect.get(values, key) : undefined;
}
