/** The index of pixels that count for nothing, in label maps and metrics. */
export const IGNORED = 255;
