/** How long things take between clients, Redis and workers. */

/** Milliseconds; tests have shorter ones. */
export interface Times {
  /** A connection that is not there by then is refused. */
  connect: number;
  /** A connection that answers nothing for so long while something was asked is lost. A picture is sent in that time. */
  silence: number;
  /** How often a worker tells of itself, and how long that holds. */
  announce: number;
  presence: number;
  /** How often a client looks after its workers and its jobs. */
  check: number;
  /** How long the picture of a job stays in Redis when its client looks after it no more. */
  task: number;
  /** How long an answer waits to be taken. */
  answer: number;
  /** How long a job is its worker's without a word of that worker, and how often the others look for such jobs. */
  lock: number;
  stalled: number;
  /** What running pictures get to finish when a worker is told to stop. */
  grace: number;
  /** The longest pause between two attempts to get a lost connection back. */
  retry: number;
}

export const TIMES: Readonly<Times> = {
  connect: 5000,
  silence: 60_000,
  announce: 5000,
  presence: 15_000,
  check: 5000,
  task: 60_000,
  answer: 60_000,
  lock: 10_000,
  stalled: 5000,
  grace: 15_000,
  retry: 5000,
};
