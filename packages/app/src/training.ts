import type { LoopRecipe, Task, TrainingData } from '@as-mlp/train';

/** A training that is ready to start. */
export interface Training<Batch> {
  readonly task: Task<Batch>;
  readonly data: TrainingData<Batch>;
  readonly recipe: LoopRecipe;
}
