import { loadClassifier } from '@as-mlp/classification';

/** Loads a checkpoint into a network, from opening the file to the last value in its place. */
export function timeLoading(path: string): () => Promise<void> {
  return async () => {
    const classifier = await loadClassifier(path);
    classifier.dispose();
  };
}
