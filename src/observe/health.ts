/** Whether pictures can be parsed now, and what stands in the way. */
import { isRemote } from '../engine/info.ts';
import type { Disconnection, EngineInfo } from '../engine/types.ts';
import type { Retry } from '../store/retry.ts';

export type HealthStatus = 'ready' | 'degraded' | 'unready';

export const REASON_CODES = [
  'engine-failed',
  'engine-loading',
  'engine-reloading',
  'engine-slow',
  'engine-restarted',
  'queue-full',
  'model-absent',
  'model-pulling',
  'model-failed',
  'redis-lost',
  'redis-refuses',
  'node-misconfigured',
  'keys-missing',
  'jobs-folder',
  'stopping',
] as const;

/** Something that is not as it should be. */
export interface HealthReason {
  code: (typeof REASON_CODES)[number];
  /** Id of the model; blank where it is about none. */
  model: string;
  /** Name, or id, of the node of the flow that it is about; absent where it is about a model. */
  node?: string;
  /** What is wrong, in words. */
  message: string;
}

/** Plain JSON. */
export interface Health {
  /** `ready` without a reason; `degraded` with reasons that a picture would get through all the same. */
  status: HealthStatus;
  /** The process answers: always true, for a probe that asks for no more. */
  live: boolean;
  /** Whether a picture that comes now would be parsed. One that first loads the model, or downloads it, counts too. */
  ready: boolean;
  reasons: HealthReason[];
}

/** A model without an engine. */
export interface MissingModel {
  id: string;
  /** `searching`: for the workers that have it. `redis-…`: the Redis where they are found is lost, or takes no changes. */
  state: 'absent' | 'pulling' | 'searching' | Disconnection['code'] | 'failed';
  /** For `failed` and `redis-…`. */
  message?: string;
  /** For `failed` and `redis-…`: milliseconds until it is tried again by itself; absent where it is not. */
  retryIn?: number;
  /** For `pulling`: the server did not answer as it should, and is asked again after a pause. */
  retry?: Retry;
}

export interface HealthFacts {
  engines: readonly EngineInfo[];
  missing?: readonly MissingModel[];
  /** More that is known already. */
  reasons?: readonly HealthReason[];
  /** How often processes of the model with this digest were replaced lately. */
  recentRestarts?: (digest: string) => number;
}

/** With these a picture would not be parsed, or not before long. */
const UNREADY: ReadonlySet<HealthReason['code']> = new Set([
  'engine-failed',
  'engine-loading',
  'model-absent',
  'model-pulling',
  'model-failed',
  'redis-lost',
  'redis-refuses',
  'node-misconfigured',
  'jobs-folder',
  'stopping',
]);

export function healthOf({
  engines,
  missing = [],
  reasons: more = [],
  recentRestarts = () => 0,
}: HealthFacts): Health {
  const reasons = [
    ...more,
    ...missing.map(missingReason),
    ...engines.flatMap((info) => engineReasons(info, recentRestarts(info.manifest.digest))),
  ];
  const ready = reasons.every(({ code }) => !UNREADY.has(code));
  return {
    status: !ready ? 'unready' : reasons.length > 0 ? 'degraded' : 'ready',
    live: true,
    ready,
    reasons,
  };
}

function missingReason({ id, state, message, retryIn, retry }: MissingModel): HealthReason {
  if (state === 'pulling') {
    const going = 'The model is being downloaded and converted.';
    return { code: 'model-pulling', model: id, message: retry ? `${going} ${pauseOf(retry)}` : going };
  }
  if (state === 'searching') {
    return { code: 'engine-loading', model: id, message: 'Workers with the model are being looked for.' };
  }
  if (state === 'absent') {
    const first =
      'The model is not on this machine yet. A load node that loads it when the flow starts gets it, Download now in its ' +
      'form, or the first picture, which waits for it.';
    return { code: 'model-absent', model: id, message: first };
  }
  const code = state === 'failed' ? 'model-failed' : state;
  const problem = message ?? 'The model cannot be used.';
  if (retryIn === undefined) return { code, model: id, message: problem };
  const again = `It is tried again by itself within ${secondsOf(retryIn)}.`;
  return { code, model: id, message: `${ended(problem)} ${again}` };
}

/** Why a download stands still, and for how long. */
function pauseOf({ reason, seconds, attempt, attempts }: Retry): string {
  return `It waits: ${ended(reason)} The server is asked again within ${secondsOf(1000 * seconds)} (${attempt} of ${attempts}).`;
}

/** Whole seconds of milliseconds, from 1 on. */
function secondsOf(ms: number): string {
  const seconds = Math.max(1, Math.ceil(ms / 1000));
  return seconds === 1 ? 'a second' : `${seconds} seconds`;
}

/** Another sentence may follow. */
function ended(text: string): string {
  return /[.!?。]$/.test(text) ? text : `${text}.`;
}

/** One that was loaded before will be again, in seconds: after a rest, a crash, or a change of options. */
function loadingReason(info: EngineInfo): Pick<HealthReason, 'code' | 'message'> {
  if (isRemote(info)) {
    const message = 'No worker with the model is there: one is waited for.';
    return { code: 'engine-loading', message };
  }
  if (info.loadSeconds === null) return { code: 'engine-loading', message: 'The model is being loaded.' };
  const message = 'The model is being loaded again: a picture that comes now waits for it.';
  return { code: 'engine-reloading', message };
}

function engineReasons(info: EngineInfo, restarts: number): HealthReason[] {
  const { state, failure, disconnected, fallback, provider, waiting, maxQueue } = info;
  const model = info.manifest.id;
  const reasons: HealthReason[] = [];
  if (disconnected !== null) {
    // Whatever it has in hand: nobody hears what comes of it.
    reasons.push({ ...disconnected, model });
  } else if (state === 'failed') {
    const message = failure?.message ?? 'The engine does not run.';
    reasons.push({ code: 'engine-failed', model, message });
  } else if (state === 'loading') reasons.push({ model, ...loadingReason(info) });
  if (provider === 'wasm') {
    const message = fallback ?? 'The engine runs as WebAssembly, which is slow.';
    reasons.push({ code: 'engine-slow', model, message });
  }
  if (restarts > 0) {
    const times = restarts === 1 ? 'once' : `${restarts} times`;
    const message = `A process of the engine had to be replaced ${times} in the last ten minutes.`;
    reasons.push({ code: 'engine-restarted', model, message });
  }
  if (maxQueue > 0 && waiting >= maxQueue) {
    const message = `As many pictures wait as may: ${waiting}. More are refused.`;
    reasons.push({ code: 'queue-full', model, message });
  }
  return reasons;
}
