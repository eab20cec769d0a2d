/** Engines: loaded models that parse pictures in processes of their own. */
export { DroppedRequest, dropReasonOf } from './dropped.ts';
export {
  acquireEngine,
  listEngines,
  shutdownEngines,
  type AcquireOptions,
  type EngineLease,
} from './registry.ts';
export type {
  DropReason,
  Engine,
  EngineInfo,
  EngineListener,
  EngineOptions,
  EngineState,
  ParseOptions,
  ParseRequest,
  ProcessInfo,
  QueueOptions,
  QueuePolicy,
} from './types.ts';
