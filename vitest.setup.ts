import { openEngine } from '@as-mlp/engine';

await openEngine();
