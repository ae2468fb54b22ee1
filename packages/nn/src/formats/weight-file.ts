/** One tensor of a weight file, not yet read. */
export interface WeightEntry {
  /**
   * PyTorch's name of the element type: `float32`, `float16`, `bfloat16`, `float64`, `int64`, `bool`, …
   * What stands under a tensor's name without being one has the name of its Python type (`str`, `dict`, …).
   */
  readonly dtype: string;
  /** Official shape; `[]` is a scalar. */
  readonly shape: readonly number[];
  /**
   * The values as float32, contiguous (row-major) in the official layout, in an array that is the
   * caller's. Every call reads the file again.
   *
   * @throws AsMlpError `weights` when the type is not a floating-point one (nor a single int64, which batch norms count
   * in), or the bytes are damaged.
   */
  read(): Promise<Float32Array>;
}

/** An opened weight file: names, types and shapes are known and checked, values are read when asked for. */
export interface WeightFile {
  readonly format: 'pth' | 'safetensors';
  /** By official name, in the file's order. A `module.` before every name is taken off. */
  readonly entries: ReadonlyMap<string, WeightEntry>;
  /**
   * What the file says beside its tensors, as plain JSON-able data without prototypes. `.pth`: everything
   * beside the weights and the optimizer, e.g. `epoch`, `max_accuracy`, `config` (nested), `meta`; a value
   * that refers to itself or is too large to show is left out. `.safetensors`: the strings of `__metadata__`.
   */
  readonly metadata: Readonly<Record<string, unknown>>;
}
