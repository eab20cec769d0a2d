/** Engines: loaded models that parse pictures in processes of their own, or on other machines. */
export { DroppedRequest, dropReasonOf } from './dropped.ts';
export {
  acquireEngine,
  listEngines,
  shutdownEngines,
  type AcquireOptions,
  type EngineLease,
} from './registry.ts';
export { acquireRemoteEngine } from './remote/acquire.ts';
export { describeRemote, type DescribeOptions, type RemoteDescription } from './remote/acquire.ts';
export type { LinkFactory, RemoteTask, WorkerAddress, WorkerFacts, WorkerLink } from './remote/link.ts';
export { checkWorkerAddress, completeRemoteOptions, type RemoteEngineOptions } from './remote/settings.ts';
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
