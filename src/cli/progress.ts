/** How far a long piece of work is, for the eyes of whoever started it. */

const WIDTH = 30;
/** Less than this of a bar shows nothing. */
const MIN_WIDTH = 10;
/** Without a terminal, a line for each of these steps, in percent. */
const STEP = 10;
/** Clears what an earlier, longer line has left to the right. */
const CLEAR = '\u001B[K';

/** A terminal gets a bar that grows in place; a log gets a line for every phase and every {@link STEP} percent. */
export class ProgressBar {
  readonly #stream: NodeJS.WriteStream;
  /** The percent shown last, by phase; -1 before any. */
  readonly #shown = new Map<string, number>();
  #phase = '';
  /** The bar that the cursor stands behind; empty where there is none. */
  #bar = '';
  /** The incident that was told last; empty where the work has gone on since. */
  #lastLine = '';

  constructor(stream: NodeJS.WriteStream) {
    this.#stream = stream;
  }

  /**
   * @param phase what is being done, for example `Converting`
   * @param share of the phase that is done, 0 to 1; null where nobody knows
   * @param note behind the percent
   */
  show(phase: string, share: number | null, note = ''): void {
    if (this.#stream.isTTY) this.#draw(phase, share, note);
    else this.#log(phase, share, note);
    this.#phase = phase;
    this.#lastLine = '';
  }

  /**
   * Shows why the work of the phase stands still: on a terminal in the place of the bar until it goes on, in a log as a
   * line for each incident.
   */
  pause(phase: string, share: number | null, reason: string): void {
    const far = share === null ? phase : `${phase} ${Math.floor(share * 100)} %`;
    const line = `${far}: ${reason}`;
    if (line === this.#lastLine) return;
    this.#lastLine = line;
    if (this.#stream.isTTY) this.#put(phase, line);
    else this.#stream.write(`${line}\n`);
    this.#phase = phase;
  }

  /** Ends the line of a bar; what is written from now on stands below it. */
  close(): void {
    if (this.#bar !== '') this.#stream.write('\n');
    this.#bar = '';
  }

  #draw(phase: string, share: number | null, note: string): void {
    const tail = note === '' ? '' : ` ${note}`;
    if (share === null) return this.#put(phase, `${phase}${tail}`);
    const percent = Math.floor(share * 100);
    const rest = ` ${percent} %${tail}`;
    const room = Math.min(WIDTH, this.#columns - phase.length - 1 - rest.length);
    const full = Math.round((room * percent) / 100);
    const bar = room < MIN_WIDTH ? '' : ` ${'█'.repeat(full)}${'░'.repeat(room - full)}`;
    this.#put(phase, `${phase}${bar}${rest}`);
  }

  /** What fits into a line: one that breaks could not be written over. */
  get #columns(): number {
    return (this.#stream.columns || 80) - 1;
  }

  #put(phase: string, text: string): void {
    if (phase !== this.#phase) this.close();
    const line = text.slice(0, this.#columns);
    if (line === this.#bar) return;
    this.#bar = line;
    this.#stream.write(`\r${line}${CLEAR}`);
  }

  #log(phase: string, share: number | null, note: string): void {
    const shown = this.#shown.get(phase);
    if (share === null) {
      if (shown !== undefined) return;
      this.#shown.set(phase, -1);
      this.#stream.write(`${phase}\n`);
      return;
    }
    const percent = Math.floor(share * 100);
    const due = percent - (percent % STEP);
    // What begins anew goes back.
    if (shown !== undefined && due === shown) return;
    this.#shown.set(phase, due);
    const tail = note === '' ? '' : ` (${note})`;
    this.#stream.write(`${phase}: ${due} %${tail}\n`);
  }
}

/** Decimal, as disks and networks are sold: `253.4 MB`. */
export function megabytes(bytes: number): string {
  return `${(bytes / 1e6).toFixed(1)} MB`;
}
