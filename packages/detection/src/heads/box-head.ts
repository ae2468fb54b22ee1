import {
  ConvUnit,
  constant,
  INFERENCE,
  kaimingNormal,
  Linear,
  type Mode,
  Module,
  ModuleList,
  normal,
  xavierUniform,
} from '@as-mlp/nn';
import * as tf from '@tensorflow/tfjs-core';
import { BOX_CELLS, type DetectionConfig } from '../config.ts';

/** What a box head says of N regions. */
export interface BoxOutput {
  /** `[N, K + 1]`; the background is the last class. */
  readonly logits: tf.Tensor2D;
  /** `[N, 4 · K]`: dx, dy, dw, dh for one class after the other. */
  readonly deltas: tf.Tensor2D;
}

/** Box head: 3×3 convolutions with batch norm (or none), fully connected layers, then classes and box deltas. */
export class BoxHead extends Module {
  private readonly cls: Linear;
  private readonly reg: Linear;
  private readonly convs: readonly ConvUnit[];
  private readonly fcs: readonly Linear[];

  constructor(config: DetectionConfig) {
    super();
    const { channels, boxConvs, boxConvChannels, boxFcs, boxFcChannels, numClasses } = config;
    const layer = (inFeatures: number, outFeatures: number, weight = xavierUniform()) => {
      const layout = inFeatures === mapSize ? 'linear7x7' : 'linear';
      return new Linear({ inFeatures, outFeatures, layout, init: { weight, bias: constant(0) } });
    };
    const mapSize = (boxConvs > 0 ? boxConvChannels : channels) * BOX_CELLS ** 2;
    this.cls = this.add('fc_cls', layer(boxFcChannels, numClasses + 1, normal({ std: 0.01 })));
    this.reg = this.add('fc_reg', layer(boxFcChannels, 4 * numClasses, normal({ std: 0.001 })));
    const convs = Array.from({ length: boxConvs }, (_, i) => {
      const inChannels = i === 0 ? channels : boxConvChannels;
      const init = { weight: kaimingNormal(), bias: constant(0) };
      return new ConvUnit({
        inChannels,
        outChannels: boxConvChannels,
        kernelSize: 3,
        norm: true,
        relu: true,
        init,
      });
    });
    this.convs = convs.length > 0 ? this.add('shared_convs', new ModuleList(convs)).items : [];
    const fcs = Array.from({ length: boxFcs }, (_, i) => layer(i ? boxFcChannels : mapSize, boxFcChannels));
    this.fcs = this.add('shared_fcs', new ModuleList(fcs)).items;
  }

  /** `[N, 7, 7, C]`, N ≥ 1. */
  forward(x: tf.Tensor4D, mode: Mode = INFERENCE): BoxOutput {
    const [logits, deltas] = tf.tidy(() => {
      let map = x;
      for (const conv of this.convs) map = conv.forward(map, mode);
      let rows: tf.Tensor = map;
      for (const fc of this.fcs) rows = tf.relu(fc.forward(rows));
      return [this.cls.forward(rows), this.reg.forward(rows)];
    }) as [tf.Tensor2D, tf.Tensor2D];
    return { logits, deltas };
  }
}
