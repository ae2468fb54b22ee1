export { type Box, boxArea } from './boxes.ts';
