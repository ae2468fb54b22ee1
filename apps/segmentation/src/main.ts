#!/usr/bin/env node
import { type AppDefinition, doctorVerb, main } from '@as-mlp/app';
import { bench } from './bench.ts';
import { checkData } from './check-data.ts';
import { demo } from './demo.ts';
import { evaluate } from './evaluate.ts';
import { exportSegmenter } from './export.ts';
import { info } from './info.ts';
import { inspect } from './inspect.ts';
import { predict } from './predict.ts';
import { score } from './score.ts';
import { lrFind, train } from './train.ts';

const app: AppDefinition = {
  bin: 'asmlp-segment',
  summary: 'Tell the class of every pixel with AS-MLP: predict, evaluate, train.',
  verbs: [
    predict,
    evaluate,
    score,
    train,
    lrFind,
    checkData,
    inspect,
    exportSegmenter,
    info,
    bench,
    doctorVerb,
    demo,
  ],
  examples: [
    'asmlp-segment predict photos/*.jpg --weights upernet_asmlp_base.pth --json out.json --out pictures/',
    'asmlp-segment eval --data ADEChallengeData2016 --weights upernet_asmlp_base.pth --json metrics.json --out tables/',
    'asmlp-segment score --pred pictures/labels --gt annotations/validation --classes 150 --reduce-zero-label',
    'asmlp-segment train --data my-set --finetune upernet_asmlp_base.pth --out runs/mine',
    'asmlp-segment info upernet-as-mlp-tiny',
  ],
};

await main(app);
