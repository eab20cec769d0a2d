/**
 * The job that a message is about. The jobs node marks it with `msg.job`, and the parsing response node gives back what came
 * of it, in place of an answer over HTTP.
 */
import type { NodeMessage } from 'node-red';
import type { M2fpError } from '../../src/errors.ts';
import type { JobOutcome } from '../../src/service/jobs/types.ts';

/** `msg.job`: plain data, since Node-RED copies messages. */
export interface JobMark {
  id: string;
  /** How often it was begun, with this time. */
  attempt: number;
  /** Which time in this process. */
  run: number;
  /** Id of the jobs node. */
  node: string;
}

/** Takes what comes of jobs. */
export interface JobDesk {
  /** @returns whether it is the job's outcome now */
  end(id: string, run: number, outcome: JobOutcome): Promise<boolean>;
  /** Aborts where nobody wants any more what comes of the run; undefined for one that is not going on. */
  signalOf(id: string, run: number): AbortSignal | undefined;
}

/** By the ids of the jobs nodes. */
const desks = new Map<string, JobDesk>();

/** Returns the function that ends it. */
export function openDesk(node: string, desk: JobDesk): () => void {
  desks.set(node, desk);
  return () => {
    if (desks.get(node) === desk) desks.delete(node);
  };
}

/** Undefined for a message that is about no job. */
export function jobOf(msg: NodeMessage): JobMark | undefined {
  const { job } = msg as { job?: Partial<JobMark> | null };
  if (typeof job !== 'object' || job === null) return undefined;
  const isMark =
    typeof job.id === 'string' &&
    typeof job.run === 'number' &&
    typeof job.node === 'string' &&
    'attempt' in job;
  return isMark ? (job as JobMark) : undefined;
}

/**
 * Calls `onOver`, at most once, when the job of a message was taken back, or has got an outcome elsewhere. Returns the function
 * that ends the watch.
 */
export function whenJobOver({ id, run, node }: JobMark, onOver: (error: M2fpError) => void): () => void {
  const signal = desks.get(node)?.signalOf(id, run);
  if (signal === undefined) return () => {};
  const tell = (): void => onOver(signal.reason as M2fpError);
  if (signal.aborted) tell();
  else signal.addEventListener('abort', tell, { once: true });
  return () => signal.removeEventListener('abort', tell);
}

/**
 * Keeps the answer to a message that is about a job. Where the node that sent it is gone, the job is done again when it is
 * back.
 * @param answer as it would go out over HTTP; of an error, problem+json
 * @returns false for a message that is about no job, which wants an answer over HTTP
 */
export async function endJob(
  msg: NodeMessage,
  answer: { statusCode: number; headers: Record<string, string>; body: Buffer },
): Promise<boolean> {
  const mark = jobOf(msg);
  if (!mark) return false;
  await desks.get(mark.node)?.end(mark.id, mark.run, outcomeOf(answer));
  return true;
}

function outcomeOf(answer: Parameters<typeof endJob>[1]): JobOutcome {
  const { statusCode, headers, body } = answer;
  if (statusCode < 400) return { state: 'done', result: { statusCode, headers, body } };
  const { code, detail, title } = problemIn(body);
  const text = [detail, title, body.toString('utf8')].find((words) => typeof words === 'string') as string;
  return {
    state: 'failed',
    failure: { code: typeof code === 'string' ? code : 'ERROR', message: text.slice(0, 2000), statusCode },
  };
}

function problemIn(body: Buffer): { code?: unknown; detail?: unknown; title?: unknown } {
  try {
    return (JSON.parse(body.toString('utf8')) as object | null) ?? {};
  } catch {
    return {};
  }
}
