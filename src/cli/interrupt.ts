/** Ctrl+C and polite kills: the work at hand is cancelled, and cleans up, before the command ends. */
import { M2fpError } from '../errors.ts';

/** A shell's exit codes for programs that a signal ended. Not SIGHUP: `nohup` asks that nobody hears it. */
export const EXIT_CODES = { SIGINT: 130, SIGTERM: 143 } as const;
export const SIGNALS = Object.keys(EXIT_CODES) as (keyof typeof EXIT_CODES)[];

export class Interruption extends M2fpError {
  readonly exitCode: number;

  constructor(signal: keyof typeof EXIT_CODES, outcome: string) {
    super('M2FP_CANCELLED', `Interrupted. ${outcome}`);
    this.exitCode = EXIT_CODES[signal];
  }
}

/** Ends the process, its children, and what it has beside the places of what it makes. */
function exit(signal: NodeJS.Signals): never {
  process.exit(EXIT_CODES[signal as keyof typeof EXIT_CODES]);
}

/**
 * Does `work`, which makes nothing that stays: when the user or the system interrupts the command, it ends at once, and
 * children and partial folders of the process with it.
 */
export async function endable<T>(work: () => Promise<T>): Promise<T> {
  for (const signal of SIGNALS) process.on(signal, exit);
  try {
    return await work();
  } finally {
    for (const signal of SIGNALS) process.off(signal, exit);
  }
}

/**
 * Does `work`, and aborts it when the user or the system interrupts the command. A second signal ends the process at
 * once, and its children with it.
 * @param outcome what the user then is left with, a sentence
 * @throws what `work` throws; the {@link Interruption} where that is how it ended
 */
export async function interruptible<T>(
  work: (signal: AbortSignal) => Promise<T>,
  outcome: string,
): Promise<T> {
  const controller = new AbortController();
  const interrupt = (signal: NodeJS.Signals) => {
    if (controller.signal.aborted) {
      process.stderr.write('m2fp: Ended at once. What may be left half-made, the next run clears.\n');
      exit(signal);
    }
    controller.abort(new Interruption(signal as keyof typeof EXIT_CODES, outcome));
  };
  const stopListening = () => {
    for (const signal of SIGNALS) process.off(signal, interrupt);
  };
  for (const signal of SIGNALS) process.on(signal, interrupt);
  try {
    return await work(controller.signal);
  } finally {
    stopListening();
  }
}

/** The first signal lets what is under way end; the second ends the process at once. */
export class Stop {
  readonly #controller = new AbortController();
  #signal: keyof typeof EXIT_CODES | undefined;
  readonly #listener = (signal: NodeJS.Signals): void => {
    if (this.#signal !== undefined) process.exit(EXIT_CODES[signal as keyof typeof EXIT_CODES]);
    this.#signal = signal as keyof typeof EXIT_CODES;
    this.#controller.abort();
  };

  constructor() {
    for (const signal of SIGNALS) process.on(signal, this.#listener);
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  /** Makes the error where there was a signal. */
  get interruption(): ((outcome: string) => Interruption) | undefined {
    const signal = this.#signal;
    return signal === undefined ? undefined : (outcome) => new Interruption(signal, outcome);
  }

  close(): void {
    for (const signal of SIGNALS) process.off(signal, this.#listener);
  }
}
