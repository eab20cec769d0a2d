/**
 * Jobs: pictures that are parsed later than they are asked for. What was accepted is kept until it has an outcome, which is
 * written once, and the outcome until it expires. Times are milliseconds since 1970.
 */

/**
 * `queued` and `running` have no outcome yet. `done`: the flow answered the picture. `failed`: it could not.
 * `cancelled`: somebody took the job back. `expired`: it waited for longer than a job may.
 */
export type JobState = 'queued' | 'running' | EndState;
export type EndState = 'done' | 'failed' | 'cancelled' | 'expired';

/** Why a job has no result. */
export interface JobFailure {
  code: string;
  /** What to do. */
  message: string;
  /** For HTTP. */
  statusCode: number;
}

/** What a client gets for a picture, as it goes out over HTTP. */
export interface JobResult {
  statusCode: number;
  /** By name, in small letters. */
  headers: Record<string, string>;
  body: Buffer;
}

/** What a job came to. */
export type JobOutcome =
  { state: 'done'; result: JobResult } | { state: Exclude<EndState, 'done'>; failure: JobFailure };

/** What is told of a job. */
export interface Job {
  id: string;
  state: JobState;
  /** In line, 1 is next; null where it does not wait. */
  place: number | null;
  created: number;
  /** The last time that its picture was sent into the flow. */
  started: number | null;
  ended: number | null;
  /** When the outcome is forgotten; null where there is none yet. */
  expires: number | null;
  /** How often its picture was sent into the flow. */
  attempts: number;
  failure: JobFailure | null;
  /** Of what came of it; null where that is nothing. */
  result: { type: string; bytes: number } | null;
  /** Who is told when it ends. */
  webhook: string | null;
  /** Whose it is; null: anybody's who knows its id. */
  owner: string | null;
}

/** What is kept once however often it is sent. */
export interface Once {
  /** What its sender calls it, as a digest that no other sender has. */
  key: string;
  /** Of what was sent. */
  digest: string;
}

/** What is accepted. */
export interface NewJob {
  /** Encoded. */
  image: Buffer;
  /** What goes into the flow beside the picture: plain JSON. */
  message: Record<string, unknown>;
  /** Checked already. */
  webhook: string | null;
  owner: string | null;
  /** Null where each one that is sent is another job. */
  once: Once | null;
}

/** The job that came of what was sent. */
export interface AcceptedJob extends Job {
  /** Whether it was accepted before, by the same key. */
  isAgain: boolean;
}

/** A job that this process, and no other, is at. */
export interface Claim {
  readonly id: string;
  readonly image: Buffer;
  readonly message: Record<string, unknown>;
  /** With this one. */
  readonly attempts: number;
  /** Those before that counted when the job was put back. */
  readonly crashes: number;
  /** Aborts where the job has an outcome, or another process took it over. */
  readonly lost: AbortSignal;
  /**
   * Puts the job back into its place in line.
   * @param counts whether this try is one of those that a job has; false where the job is not to blame
   */
  release(counts: boolean): Promise<void>;
}

/** A webhook that is to be called now, by this process and no other. */
export interface Delivery {
  readonly job: Job;
  readonly url: string;
  /** Before this one. */
  readonly attempts: number;
  /** The receiver has it, or nobody tries again. */
  finish(): Promise<void>;
  /**
   * Not before that time.
   * @param counts whether this call is one of those that are made; false where the receiver is not to blame
   */
  retry(at: number, counts: boolean): Promise<void>;
}

export interface JobLimits {
  /** Jobs that may wait and run; one more is refused. Outcomes that are kept may be ten times as many. */
  maxJobs: number;
  /** Bytes of pictures and results in all. */
  maxBytes: number;
  /** How long an outcome is kept. */
  retention: number;
  /** How long a job may wait. */
  maxWait: number;
}

/** Outcomes that are kept for each job that may wait. */
export const KEPT_PER_JOB = 10;

/** How often a job is begun where the engine ends over its picture, or the flow is stopped, before there is an outcome. */
export const MAX_ATTEMPTS = 5;

/**
 * How often a job is begun whose whole process ends. Nobody can know whether the picture is to blame, and mostly it is not: a
 * process that ends again and again for another reason is not to use up the jobs that wait. One that is to blame does not go on for ever.
 */
export const MAX_DEATHS = 20;

/** Whether a job was begun as often as it may be. @param crashes of its tries @param deaths of those before the one that begins */
export function isGivenUp(crashes: number, deaths: number): boolean {
  return crashes >= MAX_ATTEMPTS || deaths >= MAX_DEATHS;
}

/** How many there are now. */
export interface JobCounts {
  queued: number;
  running: number;
  ended: number;
  bytes: number;
  /** When the first one in line was accepted; null where none waits. */
  oldest: number | null;
}

/** Where jobs are kept. */
export interface JobStore {
  /**
   * Resolves when the job is kept: what comes after, also a crash, loses it no more. A job that is kept already under the same
   * key is returned as it is.
   * @throws {M2fpError} `M2FP_KEY_REUSED` where the key is that of a job with something else in it, `M2FP_BUSY` where there
   *   are as many as may be, `M2FP_NOT_KEPT` where there is no room for it, `M2FP_ENGINE_UNAVAILABLE` where Redis is not to be had
   */
  add(job: NewJob): Promise<AcceptedJob>;
  /** Undefined for one that is not known, or no longer. */
  get(id: string): Promise<Job | undefined>;
  /** Undefined where there is none. */
  result(id: string): Promise<JobResult | undefined>;
  /** The next job in line; undefined where nothing waits. */
  claim(): Promise<Claim | undefined>;
  /**
   * Writes the outcome, unless there is one. The picture is deleted with it.
   * @returns whether this outcome is the job's
   */
  end(id: string, outcome: JobOutcome): Promise<boolean>;
  /** Forgets a job that has an outcome. */
  forget(id: string): Promise<void>;
  /** A webhook that is due; undefined where none is. */
  delivery(): Promise<Delivery | undefined>;
  counts(): Promise<JobCounts>;
  /** Why nothing can be kept now, in words; null where it can, and where others tell of it. Mends what it can. Never rejects. */
  problem(): Promise<string | null>;
  /** Ends what has waited for too long, and forgets outcomes that have expired. */
  sweep(): Promise<void>;
  /** Told of each job that this process has put there, also where whoever brought it was gone by then. Returns the end of the subscription. */
  onAccepted(listener: () => void): () => void;
  /** Told of each outcome that this process has written, also of what waited for too long. Returns the end of the subscription. */
  onEnded(listener: (state: EndState) => void): () => void;
  /** Called where something may be to do. Returns the function that ends the subscription. */
  subscribe(listener: () => void): () => void;
  close(): Promise<void>;
}
