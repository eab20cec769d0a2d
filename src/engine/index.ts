/** Engines: loaded models that parse pictures in processes of their own. */
export { acquireEngine, shutdownEngines, type EngineLease } from './registry.ts';
export type {
  Engine,
  EngineInfo,
  EngineListener,
  EngineOptions,
  EngineState,
  ParseOptions,
  ParseRequest,
} from './types.ts';
