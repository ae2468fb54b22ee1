#!/usr/bin/env node
import { type AppDefinition, doctorVerb, main } from '@as-mlp/app';
import { bench } from './bench.ts';
import { checkData } from './check-data.ts';
import { demo } from './demo.ts';
import { evaluate } from './evaluate.ts';
import { exportClassifier } from './export.ts';
import { info } from './info.ts';
import { predict } from './predict.ts';
import { lrFind, train } from './train.ts';

const app: AppDefinition = {
  bin: 'asmlp-classify',
  summary: 'Classify images with AS-MLP: predict, evaluate, train.',
  verbs: [predict, evaluate, train, lrFind, checkData, exportClassifier, info, bench, doctorVerb, demo],
  examples: [
    'asmlp-classify predict photos/*.jpg --weights asmlp_tiny.pth --json out.json --out pictures/',
    'asmlp-classify eval --data imagenet --weights asmlp_tiny.pth --json metrics.json',
    'asmlp-classify train --data flowers --model as-mlp-tiny --out runs/flowers',
    'asmlp-classify info as-mlp-tiny',
  ],
};

await main(app);
