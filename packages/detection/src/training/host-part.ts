import type { Rng } from '@as-mlp/base';
import type { HostPart, HostTensor } from '@as-mlp/train';
import { anchors as levelAnchors } from '../boxes/anchors.ts';
import { BOX_STAGES, type DetectionConfig } from '../config.ts';
import type { RpnLevel } from '../predict/proposals.ts';
import { listAnswer, RPN_ANSWER, stageAnswer } from './answers.ts';
import { readBatch } from './batch.ts';
import { type Choose, chooseRandom } from './choose.ts';
import { joinFloats } from './gather.ts';
import { trainingProposals } from './proposals.ts';
import { refineBoxes } from './refine.ts';
import { type RoiTargets, roiTargets } from './roi-targets.ts';
import { rpnAnswerOf } from './rpn-answer.ts';
import { rpnTargets } from './rpn-targets.ts';
import type { TrainingSettings } from './settings.ts';
import { stageAnswerOf } from './stage-answer.ts';

/** What {@link detectionHost} needs to know. */
export interface DetectionHostOptions {
  readonly config: DetectionConfig;
  /** Input pixels per cell of the maps P2 … P6. */
  readonly strides: readonly number[];
  readonly settings: TrainingSettings;
  /** Makes what chooses anchors and regions; by chance unless given. */
  readonly chooser?: (rng: Rng) => Choose;
  /** `[N, 4]` for each image, instead of the proposal network's own. */
  readonly proposals?: readonly Float32Array[];
}

/**
 * What lies between the dense part and the heads – assigning, choosing, proposals – as plain code without gradients, as
 * officially. `detectionLosses` asks it for the answers of the first stage with what the proposal network says of each level,
 * and for those of every later stage with what the box head before it says.
 */
export function detectionHost(options: DetectionHostOptions): HostPart {
  const { config, strides, settings, proposals } = options;
  const { chooser = (rng) => chooseRandom(rng.fork('choose')) } = options;
  const stds = BOX_STAGES[config.architecture];
  const answers = settings.stages.map((_, stage) => [
    ...(stage === 0 ? listAnswer(RPN_ANSWER, RPN_ANSWER) : []),
    ...listAnswer(stageAnswer(stage), stageAnswer(stage)),
  ]);

  function begin([, sizes, objects, bytes]: readonly HostTensor[], rng: Rng) {
    const { extents, targets } = readBatch(sizes!.data, objects!.data, bytes!.data as Int32Array);
    const choose = chooser(rng);
    let rois: RoiTargets[] = [];
    let stage = 0;

    const nextStage = (candidates: readonly Float32Array[]): HostTensor[] => {
      const { assigner } = settings.stages[stage]!;
      const sampling = { assigner, sampler: settings.roiSampler };
      rois = candidates.map((boxes, image) =>
        roiTargets(boxes, targets[image]!, config.numClasses, sampling, choose),
      );
      const std = settings.boxLoss === 'l1' ? stds[stage]! : null;
      const specs = stageAnswer(stage++);
      return listAnswer(specs, stageAnswerOf(rois, targets, extents, config.numClasses, std));
    };

    return (values: readonly HostTensor[]): HostTensor[] => {
      const floats = values.map(({ data }) => data as Float32Array);
      if (stage > 0) {
        const [logits, deltas] = floats;
        return nextStage(
          refineBoxes(
            rois,
            { logits: logits!, deltas: deltas! },
            stds[stage - 1]!,
            extents,
            config.numClasses,
          ),
        );
      }
      const levels = strides.map((stride, level): RpnLevel => {
        const [, height, width] = values[2 * level]!.shape;
        const [logits, deltas] = floats.slice(2 * level);
        return { height: height!, width: width!, stride, logits: logits!, deltas: deltas! };
      });
      const anchors = joinFloats(levels.map((level) => levelAnchors(level, level.stride)));
      const chosen = targets.map(({ boxes }, image) =>
        rpnTargets(anchors, levels, extents[image]!, boxes, settings.rpn, choose),
      );
      return [
        ...listAnswer(RPN_ANSWER, rpnAnswerOf(anchors, chosen, targets)),
        ...nextStage(proposals ?? trainingProposals(levels, extents, settings.proposals)),
      ];
    };
  }

  return { answers, begin };
}
