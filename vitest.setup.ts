// Tests that run tensors do so on the best engine of this machine.
import { openEngine } from '@as-mlp/engine';

await openEngine();
