import { join } from 'node:path';

/** Photos that are made for the input pipeline. */
export const PHOTOS = 32;

/** The files that contestants share. */
export interface Places {
  /** Random weights, written by this project. */
  readonly weights: string;
  /** The same weights, written by PyTorch. */
  readonly checkpoint: string;
  /** The same network, written by PyTorch's exporter. */
  readonly onnx: string;
  /** Images `[2, side, side, 3]` and the logits that this project gives. */
  readonly check: string;
  /** The folder that `openDataset` reads. */
  readonly data: string;
  readonly photos: string;
}

/** Where the shared files lie in the folder of one run. */
export function placesIn(folder: string): Places {
  return {
    weights: join(folder, 'weights.safetensors'),
    checkpoint: join(folder, 'weights.pth'),
    onnx: join(folder, 'network.onnx'),
    check: join(folder, 'check.safetensors'),
    data: join(folder, 'data'),
    photos: join(folder, 'data', 'val', 'photo'),
  };
}
