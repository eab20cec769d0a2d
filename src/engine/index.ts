/** Engines: loaded models that parse pictures in processes of their own, or on other machines. */
export { DroppedRequest, dropReasonOf } from './queue/dropped.ts';
export {
  acquireEngine,
  listEngines,
  shutdownEngines,
  type AcquireOptions,
  type EngineLease,
  type ListedEngine,
} from './registry.ts';
export { acquireRemoteEngine } from './remote/client/acquire.ts';
export { describeRemote, type DescribeOptions, type RemoteDescription } from './remote/client/acquire.ts';
export type {
  TransportFactory,
  RemoteRequest,
  WorkerAddress,
  WorkerFacts,
  WorkerTransport,
} from './remote/client/transport.ts';
export {
  checkWorkerAddress,
  completeRemoteOptions,
  type RemoteEngineOptions,
} from './remote/redis/settings.ts';
export type { ParseOptions } from '../parsing/types.ts';
export type {
  DropReason,
  Engine,
  EngineInfo,
  EngineListener,
  EngineOptions,
  EngineState,
  ParseRequest,
  ProcessInfo,
  QueueOptions,
  QueuePolicy,
} from './types.ts';
