/** How many processes an engine has, and how many threads each. */
import { availableParallelism } from 'node:os';

/** What a machine has to offer. */
export interface Machine {
  cores: number;
  /** Bytes that programs can still take, within the limit of a container. */
  freeMemory: number;
}

export interface PoolSize {
  processes: number;
  /** Of each process. */
  threads: number;
}

/** Cores that one picture makes good use of; more of them are better spent on another picture. */
const CORES_EACH = 4;

/** Free memory that an automatic choice leaves to others, at least. */
const SHARE_FOR_OTHERS = 0.5;

export function thisMachine(): Machine {
  return { cores: availableParallelism(), freeMemory: process.availableMemory() };
}

/**
 * The pool for these options on this machine. 0 processes: one for every four cores, or for every `threads`, as far
 * as half of the free memory reaches, and one in any case. 0 threads: the cores, shared out among the processes.
 *
 * @param bytes memory that one process needs
 */
export function poolSize(
  { processes, threads }: PoolSize,
  bytes: number,
  { cores, freeMemory }: Machine,
): PoolSize {
  const byCores = Math.floor(cores / (threads || CORES_EACH));
  const byMemory = Math.floor((freeMemory * (1 - SHARE_FOR_OTHERS)) / bytes);
  const count = processes || Math.max(1, Math.min(byCores, byMemory));
  return { processes: count, threads: threads || Math.max(1, Math.floor(cores / count)) };
}
