export {
  DEFAULT_MIN_SCORE,
  type NetworkOutput,
  type PostprocessResult,
  type Tensor,
  postprocess,
  scoreThresholdOf,
} from './postprocess/postprocess.ts';
export { type ModelScopeResult, toModelScope } from './modelscope.ts';
export { type ParsingSummary, type PartSummary, type PersonSummary, summarize } from './summary.ts';
export { decodeRle, encodeRle, rleArea, rleBox } from './masks/rle.ts';
export type { Box, Doubtful, Parsing, Part, Person, Rle, Timing } from './types.ts';
