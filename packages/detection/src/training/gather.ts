/** The `[P, 4]` boxes at `indices` of `[N, 4]` boxes. */
export function gatherBoxes(boxes: Float32Array, indices: ArrayLike<number>): Float32Array {
  const gathered = new Float32Array(4 * indices.length);
  for (let i = 0; i < indices.length; i++) {
    const from = 4 * indices[i]!;
    for (let c = 0; c < 4; c++) gathered[4 * i + c] = boxes[from + c]!;
  }
  return gathered;
}

/** Arrays end to end. */
export function joinFloats(parts: readonly Float32Array[]): Float32Array {
  const whole = new Float32Array(parts.reduce((sum, { length }) => sum + length, 0));
  let offset = 0;
  for (const part of parts) {
    whole.set(part, offset);
    offset += part.length;
  }
  return whole;
}
