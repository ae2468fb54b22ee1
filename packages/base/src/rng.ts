/** Everything needed to go on from here: JSON-able. */
export interface RngState {
  readonly key: readonly [number, number];
  /** Count of 32-bit words already drawn. */
  readonly position: number;
}

/** A stream of random numbers. All draws advance the same position. */
export interface Rng {
  /** One number in [0, 1) with 32 random bits. */
  next(): number;
  /** An integer in [0, bound). */
  int(bound: number): number;
  /** `count` numbers in [0, 1) with 24 random bits each, exact in float32. */
  uniform(count: number): Float32Array;
  /** `count` standard normal numbers (Box–Muller). */
  normal(count: number): Float32Array;
  /** An independent stream named by `label`; does not advance this one. */
  fork(label: string | number): Rng;
  state(): RngState;
}

const ROUNDS = 10;

/** 32×32 → 64-bit product, as [high, low]. */
function multiplyHigh(a: number, b: number): number {
  const aLow = a & 0xffff;
  const aHigh = a >>> 16;
  const bLow = b & 0xffff;
  const bHigh = b >>> 16;
  const low = aLow * bLow;
  const middle1 = aHigh * bLow + (low >>> 16);
  const middle2 = aLow * bHigh + (middle1 & 0xffff);
  return (aHigh * bHigh + Math.floor(middle1 / 0x10000) + Math.floor(middle2 / 0x10000)) >>> 0;
}

/** FNV-1a over the UTF-16 units of a label, mixed with a key word. */
function hashLabel(label: string, seed: number): number {
  let hash = (0x811c9dc5 ^ seed) >>> 0;
  for (let i = 0; i < label.length; i++) {
    hash = Math.imul(hash ^ label.charCodeAt(i), 0x01000193);
  }
  hash ^= hash >>> 16;
  hash = Math.imul(hash, 0x7feb352d);
  hash ^= hash >>> 15;
  hash = Math.imul(hash, 0x846ca68b);
  return (hash ^ (hash >>> 16)) >>> 0;
}

/**
 * Philox4x32-10 (Salmon et al., SC 2011): the n-th word is a pure function of key and n, so a stream
 * resumes from two integers and forks without drawing.
 */
class Philox implements Rng {
  private readonly key: readonly [number, number];
  private position: number;
  private readonly block = new Uint32Array(4);
  private blockIndex = -1;

  constructor(state: RngState) {
    this.key = [state.key[0] >>> 0, state.key[1] >>> 0];
    this.position = state.position;
  }

  private word(): number {
    const index = Math.floor(this.position / 4);
    if (index !== this.blockIndex) this.fill(index);
    return this.block[this.position++ % 4]!;
  }

  private fill(index: number): void {
    let c0 = index >>> 0;
    let c1 = Math.floor(index / 0x100000000) >>> 0;
    let c2 = 0;
    let c3 = 0;
    let k0 = this.key[0];
    let k1 = this.key[1];
    for (let round = 0; round < ROUNDS; round++) {
      const high0 = multiplyHigh(0xd2511f53, c0);
      const low0 = Math.imul(0xd2511f53, c0) >>> 0;
      const high1 = multiplyHigh(0xcd9e8d57, c2);
      const low1 = Math.imul(0xcd9e8d57, c2) >>> 0;
      c0 = (high1 ^ c1 ^ k0) >>> 0;
      c1 = low1;
      c2 = (high0 ^ c3 ^ k1) >>> 0;
      c3 = low0;
      k0 = (k0 + 0x9e3779b9) >>> 0;
      k1 = (k1 + 0xbb67ae85) >>> 0;
    }
    this.block.set([c0, c1, c2, c3]);
    this.blockIndex = index;
  }

  next(): number {
    return this.word() / 0x100000000;
  }

  int(bound: number): number {
    return Math.floor(this.next() * bound);
  }

  uniform(count: number): Float32Array {
    const out = new Float32Array(count);
    for (let i = 0; i < count; i++) out[i] = (this.word() >>> 8) / 0x1000000;
    return out;
  }

  normal(count: number): Float32Array {
    const out = new Float32Array(count);
    for (let i = 0; i < count; i += 2) {
      const radius = Math.sqrt(-2 * Math.log((this.word() + 1) / 0x100000001));
      const angle = 2 * Math.PI * this.next();
      out[i] = radius * Math.cos(angle);
      if (i + 1 < count) out[i + 1] = radius * Math.sin(angle);
    }
    return out;
  }

  fork(label: string | number): Rng {
    const text = String(label);
    const key = [hashLabel(text, this.key[0]), hashLabel(`${text}/`, this.key[1] ^ 0x5bd1e995)] as const;
    return new Philox({ key, position: 0 });
  }

  state(): RngState {
    return { key: this.key, position: this.position };
  }
}

/** A counter-based generator (Philox4x32-10) from an integer seed, or going on from a saved state. */
export function createRng(seedOrState: number | RngState): Rng {
  if (typeof seedOrState !== 'number') return new Philox(seedOrState);
  const seed = Math.trunc(seedOrState);
  return new Philox({ key: [seed >>> 0, Math.floor(seed / 0x100000000) >>> 0], position: 0 });
}
