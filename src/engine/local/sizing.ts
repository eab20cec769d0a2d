/** How many processes an engine has, how many threads each, and how much memory one may take. */
import { availableParallelism, totalmem } from 'node:os';

/** What a machine has to offer. */
export interface Machine {
  cores: number;
  /** Bytes that programs can still take, within the limit of a container. */
  freeMemory: number;
  /** Bytes in all, within the limit of a container. */
  memory: number;
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

/** The cores of this machine, and its memory in bytes, or those of the container that this process runs in. */
export function thisMachine(): Machine {
  // What a container may take (cgroup v1 or v2); more than there is, or 0, where nothing limits it.
  const limit = process.constrainedMemory();
  const memory = Math.min(totalmem(), limit > 0 ? limit : Infinity);
  return { cores: availableParallelism(), freeMemory: process.availableMemory(), memory };
}

/** Of the memory, what the processes of an engine may take at most: Node-RED and others need some, too. */
const SHARE_FOR_PROCESSES = 0.8;
/**
 * How far past its limit the memory of a process may go during a run before it is killed. Less is put right when
 * the run is over, without a picture lost.
 */
export const OVERDRAFT = 1.25;
const MEBIBYTE = 2 ** 20;

/**
 * MiB that one process may take where nobody says: so much that the system does not have to kill anything, be it this
 * process or Node-RED; with 1 GB, a photo of 50 megapixels fits beside the bundled model. What the model itself needs is
 * allowed in any case.
 *
 * @param bytes memory that one process needs
 */
export function automaticLimit(
  bytes: number,
  processes: number,
  { memory }: Pick<Machine, 'memory'>,
): number {
  const share = (memory * SHARE_FOR_PROCESSES) / processes / OVERDRAFT;
  return Math.floor(Math.max(share, bytes * OVERDRAFT) / MEBIBYTE);
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
  { cores, freeMemory }: Pick<Machine, 'cores' | 'freeMemory'>,
): PoolSize {
  const byCores = Math.floor(cores / (threads || CORES_EACH));
  const byMemory = Math.floor((freeMemory * (1 - SHARE_FOR_OTHERS)) / bytes);
  const count = processes || Math.max(1, Math.min(byCores, byMemory));
  return { processes: count, threads: threads || Math.max(1, Math.floor(cores / count)) };
}
