export { type GradCheckOptions, type GradCheckReport, type GradProbe, gradCheck } from './grad-check.ts';
