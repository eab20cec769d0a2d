/** Memory and descriptors of processes over time (Linux). */
import { readdirSync } from 'node:fs';
import { residentBytes } from '../../../src/engine/local/process-memory.ts';
import { quantile } from '../../../bench/statistics.ts';

/** Minutes from which on memory is judged: a new process has not all that it needs. */
const JUDGED = 10;
/** How much more is none: V8 tidies when it wants to. */
const SLACK = { share: 0.05, megabytes: 10, descriptors: 5 };

interface Sample {
  megabytes: number;
  descriptors: number;
}

export class Gauge {
  readonly name: string;
  readonly #pid: () => number | undefined;
  readonly #samples: Sample[] = [];

  /** @param pid of the process; undefined while there is none */
  constructor(name: string, pid: () => number | undefined) {
    this.name = name;
    this.#pid = pid;
  }

  sample(): void {
    const pid = this.#pid();
    const bytes = pid === undefined ? null : residentBytes(pid);
    if (bytes !== null)
      this.#samples.push({ megabytes: bytes / 2 ** 20, descriptors: readdirSync(`/proc/${pid}/fd`).length });
  }

  /** For people. */
  get text(): string {
    const last = this.#samples.at(-1);
    return last === undefined
      ? `${this.name} none`
      : `${this.name} ${last.megabytes.toFixed(0)} MB, ${last.descriptors} descriptors`;
  }

  /** Compares the last quarter of the time with the most of the first half. @returns what has grown, in words */
  grown(minutes: number): string[] {
    if (minutes < JUDGED || this.#samples.length < 8) return [];
    const { length } = this.#samples;
    const values = (what: keyof Sample, from: number, until: number): number[] =>
      this.#samples.slice(length * from, length * until).map((sample) => sample[what]);
    const grows = (what: keyof Sample, slack: (before: number) => number): string[] => {
      // A machine that has less time for it makes a process smaller for a while: what counts is the most that it ever took.
      const before = Math.max(...values(what, 0, 0.5));
      const after = quantile(values(what, 0.75, 1), 0.5);
      const text = `${this.name}: at most ${before.toFixed(0)} ${what}, and ${after.toFixed(0)} at the end`;
      return after > before + slack(before) ? [text] : [];
    };
    return [
      ...grows('megabytes', (before) => Math.max(SLACK.megabytes, SLACK.share * before)),
      ...grows('descriptors', () => SLACK.descriptors),
    ];
  }
}
