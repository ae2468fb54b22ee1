export {
  type AffineMatrix,
  type AffineMethod,
  type AffineOptions,
  affine,
  rotate,
  shearX,
  shearY,
  translateX,
  translateY,
} from './affine.ts';
export {
  type CheckDataOptions,
  checkData,
  type DataPart,
  type ImageFacts,
  type PartReport,
  type Spread,
} from './check-data.ts';
export { colorJitter } from './color-jitter.ts';
export { type ContactSheetOptions, contactSheet, type Tile } from './contact-sheet.ts';
export { centerCrop, centerRegion, crop, flipHorizontal, type Padding, pad } from './crop.ts';
export { type DecodeOptions, decodeImage, readImageSize } from './decode.ts';
export { decodeAnnotated } from './decode-annotated.ts';
export { decodeLabels } from './decode-labels.ts';
export {
  type DigitObject,
  type DigitScene,
  type DigitScenes,
  type DigitScenesOptions,
  openDigitScenes,
} from './digit-scenes.ts';
export {
  drawLabels,
  drawMask,
  fillRectangle,
  type Label,
  type LabelOptions,
  paste,
  readableOn,
} from './draw.ts';
export { encodeJpeg, encodeLabels, encodePng } from './encode.ts';
export { adjustBrightness, adjustColor, adjustContrast, adjustSharpness } from './enhance.ts';
export { createImage, type LabelMap, type Region, type Rgb, type RgbImage, type Size } from './image.ts';
export { DEFAULT_LIMITS, type ImageLimits } from './limits.ts';
export { listImages } from './list-images.ts';
export {
  type Batch,
  createLoader,
  type Loader,
  type LoaderOptions,
  type LoadModule,
  type SampleFailure,
} from './loader.ts';
export { DIGIT_SIDE, type Digits, readMnist } from './mnist.ts';
export {
  applyTable,
  denormalize,
  normalize,
  normalizeTable,
  opencvNormalizeTable,
  type PerChannel,
} from './normalize.ts';
export { nearestSources, resizeLabels } from './opencv.ts';
export {
  autoContrast,
  equalize,
  invert,
  posterize,
  solarize,
  solarizeAdd,
} from './pixel-tables.ts';
export {
  drawMethod,
  drawRandAugment,
  RAND_AUGMENT_OPERATIONS,
  type RandAugmentOperation,
  type RandAugmentOptions,
  type RandAugmentStep,
  randAugment,
} from './rand-augment.ts';
export { type RandomResizedCropOptions, randomResizedCropRegion } from './random-crop.ts';
export { type RandomErasingOptions, randomErasing } from './random-erasing.ts';
export {
  cropResize,
  fitInside,
  type ResizeMethod,
  resize,
  resizeCenterCrop,
  resizeCrop,
  shortSideSize,
} from './resize.ts';
export type { Json, LoadFactory, LoadSample, NumberArray, Sample, SampleContext } from './sample.ts';
export {
  createSampler,
  epochOrder,
  type IndexBatch,
  type Sampler,
  type SamplerOptions,
  type SamplerState,
} from './sampler.ts';
export { renderText, type TextMask } from './text.ts';
