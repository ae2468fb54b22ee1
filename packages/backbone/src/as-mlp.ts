import { AsMlpError, createRng } from '@as-mlp/base';
import { Conv2d, dropout, GroupNorm, INFERENCE, type Mode, Module, ModuleList } from '@as-mlp/nn';
import * as tf from '@tensorflow/tfjs-core';
import { Block } from './block.ts';
import { type AsMlpConfig, dropPathRates, type Variant, variantConfig } from './config.ts';

/** One feature map that a backbone gives out. */
export interface FeatureSpec {
  readonly name: 'p2' | 'p3' | 'p4' | 'p5';
  readonly channels: number;
  /** Input pixels per feature cell. */
  readonly stride: number;
}

/** What heads are built from: declared features, ascending in stride, and nothing else. */
export interface Backbone extends Module {
  readonly features: readonly FeatureSpec[];
  /** `[B, H, W, 3]` → one `[B, ⌈H / stride⌉, ⌈W / stride⌉, channels]` for each feature. */
  forward(images: tf.Tensor4D, mode?: Mode): tf.Tensor4D[];
}

/** `pyramid`: four normalised stage outputs (norm0…norm3). `final`: the last one only (norm), for classifiers. */
export type BackboneOutput = 'pyramid' | 'final';

const PATCH = 4;
const IN_CHANNELS = 3;
const NAMES = ['p2', 'p3', 'p4', 'p5'] as const;

/** Zeros on the right and bottom until both sides divide by `multiple`. */
function padToMultiple(x: tf.Tensor4D, multiple: number): tf.Tensor4D {
  const [, height, width] = x.shape;
  const bottom = (multiple - (height % multiple)) % multiple;
  const right = (multiple - (width % multiple)) % multiple;
  if (bottom === 0 && right === 0) return x;
  return tf.pad(x, [
    [0, 0],
    [0, bottom],
    [0, right],
    [0, 0],
  ]);
}

/** The stem: 4×4 patches to `embedDim` channels, then norm. Pads the image to whole patches. */
class PatchEmbed extends Module {
  private readonly proj: Conv2d;
  private readonly norm: GroupNorm;

  constructor(embedDim: number) {
    super();
    const shape = { inChannels: IN_CHANNELS, outChannels: embedDim, kernelSize: PATCH, stride: PATCH };
    this.proj = this.add('proj', new Conv2d(shape));
    this.norm = this.add('norm', new GroupNorm(embedDim));
  }

  forward(images: tf.Tensor4D): tf.Tensor4D {
    return tf.tidy(() => this.norm.forward(this.proj.forward(padToMultiple(images, PATCH))));
  }
}

/** Halves the map: 2×2 neighbours side by side in the channels, norm over 4C, then 4C → 2C. Pads odd sides. */
class PatchMerging extends Module {
  private readonly reduction: Conv2d;
  private readonly norm: GroupNorm;

  constructor(channels: number) {
    super();
    const shape = { inChannels: 4 * channels, outChannels: 2 * channels, kernelSize: 1, bias: false };
    this.reduction = this.add('reduction', new Conv2d(shape));
    this.norm = this.add('norm', new GroupNorm(4 * channels));
  }

  forward(x: tf.Tensor4D): tf.Tensor4D {
    return tf.tidy(() => {
      const even = padToMultiple(x, 2);
      const [batch, height, width, channels] = even.shape;
      const [rows, columns] = [height / 2, width / 2];
      // Official order of the four neighbours: (0,0), (1,0), (0,1), (1,1) – the row varies fastest.
      const neighbours = tf.reshape(even, [batch * rows, 2, columns, 2, channels]);
      const merged = tf.reshape(tf.transpose(neighbours, [0, 2, 3, 1, 4]), [
        batch,
        rows,
        columns,
        4 * channels,
      ]);
      return this.reduction.forward(this.norm.forward(merged as tf.Tensor4D));
    });
  }
}

class Stage extends Module {
  readonly blocks: ModuleList<Block>;
  readonly downsample: PatchMerging | undefined;

  constructor(channels: number, rates: readonly number[], isLast: boolean, config: AsMlpConfig) {
    super();
    const blocks = rates.map((rate) => new Block(channels, rate, config));
    this.blocks = this.add('blocks', new ModuleList(blocks));
    this.downsample = isLast ? undefined : this.add('downsample', new PatchMerging(channels));
  }
}

/**
 * AS-MLP (Lian et al., ICLR 2022, section 3): patch embedding, four stages of axial-shift blocks with patch merging
 * between them, and a norm on every feature that is given out.
 */
class AsMlp extends Module implements Backbone {
  readonly config: AsMlpConfig;
  readonly features: readonly FeatureSpec[];
  private readonly patchEmbed: PatchEmbed;
  private readonly stages: readonly Stage[];
  private readonly norms: ReadonlyMap<number, GroupNorm>;
  private readonly frozen: number;

  constructor(config: AsMlpConfig, out: BackboneOutput) {
    super();
    this.config = config;
    this.frozen = config.frozenStages ?? -1;
    const channels = config.depths.map((_, stage) => config.embedDim * 2 ** stage);
    const last = config.depths.length - 1;
    const rates = dropPathRates(
      config.dropPathRate ?? 0,
      config.depths.reduce((sum, depth) => sum + depth, 0),
    );
    this.patchEmbed = this.add('patch_embed', new PatchEmbed(config.embedDim));
    let firstBlock = 0;
    this.stages = config.depths.map((depth, stage) => {
      const own = rates.slice(firstBlock, firstBlock + depth);
      firstBlock += depth;
      return new Stage(channels[stage]!, own, stage === last, config);
    });
    this.add('layers', new ModuleList(this.stages));
    const given = out === 'pyramid' ? channels.map((_, stage) => stage) : [last];
    this.norms = new Map(
      given.map((stage) => [
        stage,
        this.add(out === 'pyramid' ? `norm${stage}` : 'norm', new GroupNorm(channels[stage]!)),
      ]),
    );
    this.features = given.map((stage) => ({
      name: NAMES[stage]!,
      channels: channels[stage]!,
      stride: PATCH * 2 ** stage,
    }));
    this.freezeStages();
  }

  private freezeStages(): void {
    if (this.frozen >= 0) this.patchEmbed.freeze();
    for (const stage of this.stages.slice(0, Math.max(0, this.frozen - 1))) stage.freeze();
  }

  forward(images: tf.Tensor4D, mode: Mode = INFERENCE): tf.Tensor4D[] {
    checkImages(images);
    return tf.tidy(() => {
      let x = dropout(this.patchEmbed.forward(images), this.config.dropRate ?? 0, this.modeOf(2, mode));
      const outputs: tf.Tensor4D[] = [];
      for (const [index, stage] of this.stages.entries()) {
        const stageMode = this.modeOf(index + 2, mode);
        for (const block of stage.blocks.items) x = replace(x, block.forward(x, stageMode));
        const norm = this.norms.get(index);
        if (norm) outputs.push(norm.forward(x));
        if (stage.downsample) x = replace(x, stage.downsample.forward(x));
      }
      return outputs;
    });
  }

  /** The mode below the freeze line: frozen stages never drop. */
  private modeOf(neededFreeze: number, mode: Mode): Mode {
    return this.frozen >= neededFreeze ? INFERENCE : mode;
  }
}

/** Frees the map that was just consumed; a recorded gradient has kept what it needs. */
function replace(consumed: tf.Tensor4D, produced: tf.Tensor4D): tf.Tensor4D {
  consumed.dispose();
  return produced;
}

function checkImages(images: tf.Tensor4D): void {
  const [, height, width, channels] = images.shape;
  if (images.rank === 4 && channels === IN_CHANNELS && height > 0 && width > 0) return;
  throw new AsMlpError('input', {
    what: `images of shape [${images.shape}] do not fit`,
    fix: 'Give [batch, height, width, 3], float32, normalised',
  });
}

/** Options of {@link createAsMlp}. */
export interface CreateOptions {
  readonly out: BackboneOutput;
  /** Seed of the initial values, 0 unless given. */
  readonly seed?: number;
}

/**
 * A backbone by variant name (`tiny`, `as-mlp-tiny`) or configuration, with random initial values (PyTorch's default:
 * U(±1/√fan-in) for weights and biases, gain 1 and bias 0 for norms). Memory is taken when values are first used, so
 * that loading a checkpoint costs nothing extra.
 */
export function createAsMlp(
  variant: Variant | `as-mlp-${Variant}` | AsMlpConfig,
  options: CreateOptions,
): Backbone {
  const config = typeof variant === 'string' ? variantConfig(variant) : variant;
  checkConfig(config);
  return new AsMlp(config, options.out).initialize(createRng(options.seed ?? 0));
}

function checkConfig({ embedDim, depths, mlpRatio = 4 }: AsMlpConfig): void {
  const positive = (value: number) => Number.isInteger(value) && value > 0;
  const faults = [
    ...(positive(embedDim) ? [] : [`embedDim ${embedDim}`]),
    ...(depths.length === 4 && depths.every(positive) ? [] : [`depths [${depths}]`]),
    ...(mlpRatio > 0 ? [] : [`mlpRatio ${mlpRatio}`]),
  ];
  if (faults.length === 0) return;
  throw new AsMlpError('usage', {
    what: `the architecture does not hold together (${faults.join(', ')})`,
    fix: 'Give positive whole numbers, and four depths',
  });
}
