/** What an engine needs of those who parse its pictures: processes of its own, or workers on other machines. */
import type { Clock } from '../../clock.ts';
import type { M2fpError } from '../../errors.ts';
import type { EngineLabels } from '../events.ts';
import type { Job } from './job.ts';
import type { ChildParsing } from '../protocol.ts';
import type { Suspect } from './quarantine.ts';
import type { Disconnection, EngineState, ProcessInfo } from '../types.ts';

/** What is the same for all processes of a pool. */
export interface PoolFacts {
  /** 'cpu' (native) or 'wasm'; 'cpu' also before any has told. */
  provider: string;
  /** Why the provider is not the faster 'cpu'; null where it is, and before any has told. */
  fallback: string | null;
  /** Seconds that loading the model took; null before. */
  loadSeconds: number | null;
  /** Of one inference. */
  threads: number;
}

/** State of a pool, or of one of its processes: only an engine is closed. */
export type PoolState = Exclude<EngineState, 'closed'>;

/** Takes jobs from an engine's line and has them parsed. Nothing starts before a job waits, or `load`. */
export interface Pool {
  readonly state: PoolState;
  readonly processes: (ProcessInfo & { state: PoolState })[];
  /** Pictures that are being parsed, also those that nobody wants any more. */
  readonly running: number;
  /** Pictures more that could be parsed at the same time. */
  readonly free: number;
  /** Why nothing can be parsed; null where something can, or nobody has tried. */
  readonly failure: M2fpError | null;
  /** Why there is no way to those who parse; null where there is one, or none is needed. */
  readonly disconnected: Disconnection | null;
  /** Milliseconds until it tries by itself again what `failure` tells of; null where it does not. */
  readonly retryIn: number | null;
  readonly facts: PoolFacts;
  /** Throws what keeps the picture from joining the line: the engine stays down for now, or the picture has crashed it. */
  check(suspect: Suspect): void;
  /** Resolves when pictures can be parsed; rejects with the reason where they cannot. */
  load(): Promise<void>;
  /** Ends it; what runs may finish within a grace time. Nothing must wait. */
  stop(): Promise<void>;
  /** To be called after every change of the line: takes what can be taken. */
  pump(): void;
}

/** The engine that a pool works for. */
export interface PoolOwner {
  /** Pictures that wait. */
  readonly waiting: number;
  readonly clock: Clock;
  readonly labels: EngineLabels;
  /** Takes the next job out of the line that has to be parsed; undefined where there is none. */
  next: () => Job | undefined;
  /** Whether anybody waits for the result: its caller, or one in line with an equal picture. */
  isWanted: (job: Job) => boolean;
  /** Called with the answer to a job, also where its caller has gone; `queue`: milliseconds that it waited. */
  onResult: (job: Job, parsing: ChildParsing, queue: number) => void;
  /** Called where nothing that waits has a chance. */
  onUnavailable: (error: M2fpError) => void;
  /** Called after every change of what the pool's getters say. */
  onChange: () => void;
}
