import { HostValue } from '../pickle/values.ts';
import type { Geometry, StorageBytes } from '../tensor.ts';

/** A storage that a pickle refers to. */
export class TorchStorage extends HostValue {
  readonly typeName = 'storage';
  /** Element type, or `untyped` where the tensors themselves say it. */
  readonly dtype: string;
  readonly bytes: StorageBytes;
  /** Place of this view in `bytes`, in bytes. */
  readonly start: number;
  /** Length of this view in bytes. */
  readonly length: number;

  constructor(dtype: string, bytes: StorageBytes, start: number, length: number) {
    super();
    this.dtype = dtype;
    this.bytes = bytes;
    this.start = start;
    this.length = length;
  }
}

/** A tensor that a pickle describes; its geometry lies within its storage. */
export class TorchTensor extends HostValue {
  readonly typeName = 'tensor';
  readonly dtype: string;
  readonly bytes: StorageBytes;
  /** `offset` counts elements from the beginning of `bytes`. */
  readonly geometry: Geometry;

  constructor(dtype: string, bytes: StorageBytes, geometry: Geometry) {
    super();
    this.dtype = dtype;
    this.bytes = bytes;
    this.geometry = geometry;
  }
}
