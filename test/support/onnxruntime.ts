/** onnxruntime-node for tests and benches that run a graph themselves: as in the engine's process, it tells nobody of that. */
import type * as Runtime from 'onnxruntime-node';
import { NO_TELEMETRY } from '../../src/engine/child/runtime.ts';

Object.assign(process.env, NO_TELEMETRY);
// Only now: it looks at the environment when it loads.
const runtime = await import('onnxruntime-node');

export const InferenceSession = runtime.InferenceSession;
export type InferenceSession = Runtime.InferenceSession;
export const Tensor = runtime.Tensor;
export type Tensor = Runtime.Tensor;
