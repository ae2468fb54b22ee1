export { type Box, boxArea } from './boxes/box.ts';
