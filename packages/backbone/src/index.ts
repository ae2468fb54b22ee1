export {
  type Backbone,
  type BackboneOutput,
  type CreateOptions,
  createAsMlp,
  type FeatureSpec,
} from './as-mlp.ts';
export {
  axialShift,
  type ShiftGroup,
  type ShiftOptions,
  type ShiftPadding,
  shiftGroups,
} from './axial-shift.ts';
export {
  type AsMlpConfig,
  backboneName,
  dropPathRates,
  type ShiftConnection,
  VARIANTS,
  type Variant,
  variantConfig,
} from './config.ts';
export { type InferredArchitecture, inferArchitecture, type Shaped } from './infer.ts';
export { initializeBackbone } from './initialize.ts';
export {
  type BackboneMetadata,
  chooseShiftSize,
  decodeBackbone,
  decodeNormalisation,
  encodeBackbone,
  encodeNormalisation,
  isNames,
  isPalette,
  type MetadataFields,
  metadataFields,
  type Normalisation,
  type OfficialMeta,
  officialMeta,
} from './metadata.ts';
