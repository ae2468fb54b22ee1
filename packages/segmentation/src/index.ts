export { IGNORED } from './labels.ts';
