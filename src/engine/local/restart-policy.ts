/** How patient an engine is with its processes. */

/** Times in milliseconds. */
export interface RestartPolicy {
  /** Pause before the start that follows a crash; doubles with every crash, reset by a parsed picture. */
  firstDelay: number;
  maxDelay: number;
  /** So many crashes in a row within `crashWindow`, and no further start is tried for `firstRest`. */
  maxCrashes: number;
  crashWindow: number;
  /** Doubles with every crash that follows at the next try, up to `maxRest`. */
  firstRest: number;
  maxRest: number;
  /** A model that has not loaded by then never will. */
  loadTime: number;
  /** What a running picture gets to finish when the process is told to stop. */
  shutdownGrace: number;
  /** How often the memory of a process is looked at while it runs, where it has a limit. */
  memoryPoll: number;
}

export const DEFAULT_RESTART_POLICY: RestartPolicy = {
  firstDelay: 500,
  maxDelay: 30_000,
  maxCrashes: 5,
  crashWindow: 60_000,
  firstRest: 10_000,
  maxRest: 600_000,
  loadTime: 300_000,
  // Node-RED goes on without a close listener after 15 s.
  shutdownGrace: 10_000,
  memoryPoll: 250,
};
