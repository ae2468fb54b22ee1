#!/usr/bin/env node
import { type AppDefinition, doctorVerb, main } from '@as-mlp/app';
import { bench } from './bench.ts';
import { checkData } from './check-data.ts';
import { demo } from './demo.ts';
import { evaluate } from './evaluate.ts';
import { exportDetector } from './export.ts';
import { info } from './info.ts';
import { inspect } from './inspect.ts';
import { predict } from './predict.ts';
import { score } from './score.ts';
import { lrFind, train } from './train.ts';

const app: AppDefinition = {
  bin: 'asmlp-detect',
  summary: 'Detect objects and outline them with AS-MLP: predict, evaluate, train.',
  verbs: [
    predict,
    evaluate,
    score,
    train,
    lrFind,
    checkData,
    inspect,
    exportDetector,
    info,
    bench,
    doctorVerb,
    demo,
  ],
  examples: [
    'asmlp-detect predict photos/*.jpg --weights mask_rcnn_asmlp_tiny.pth --json out.json --out pictures/',
    'asmlp-detect eval --data coco --weights mask_rcnn_asmlp_tiny.pth --json metrics.json --out tables/',
    'asmlp-detect score --gt instances_val2017.json --dt detections-bbox.json --type bbox',
    'asmlp-detect train --data my-coco --finetune mask_rcnn_asmlp_tiny.pth --out runs/mine',
    'asmlp-detect info mask-rcnn-as-mlp-tiny',
  ],
};

await main(app);
