export { AsMlpError, type ErrorKind, type ErrorText, nearest } from './error.ts';
export { createRng, type Rng, type RngState } from './rng.ts';
