/** The pictures of a folder, as network input: those that the ranges of activations are taken from, and those held back. */
import { readFile, stat } from 'node:fs/promises';
import { asM2fpError, M2fpError } from '../errors.ts';
import { checkBytes, DEFAULT_LIMITS } from '../image/limits.ts';
import { preprocess } from '../image/preprocess.ts';
import type { NetworkInput } from '../image/types.ts';
import type { InputRule } from '../m2fp/manifest.ts';

/** Every so many-th picture is held back, to compare the models on what the ranges were not taken from. */
const HELD_BACK_EVERY = 5;
/** How many names a warning lists. */
const LISTED = 3;

/** Reads pictures one by one, and keeps account of those that are of no use, and of those that are held back. */
export class Pictures {
  readonly #files: readonly string[];
  readonly #rule: InputRule;
  readonly #problems: string[] = [];
  readonly #heldBack: string[] = [];
  #used = 0;

  constructor(files: readonly string[], rule: InputRule) {
    this.#files = files;
    this.#rule = rule;
  }

  /** Pictures that {@link inputs} has given. */
  get used(): number {
    return this.#used;
  }

  /** The paths of those that {@link inputs} has read and not given, for {@link read}. */
  get heldBack(): readonly string[] {
    return this.#heldBack;
  }

  /** What a user should know. */
  get warnings(): string[] {
    if (this.#problems.length === 0) return [];
    const more = this.#problems.length > LISTED ? `; and ${this.#problems.length - LISTED} more` : '';
    return [`Pictures that were left out: ${this.#problems.slice(0, LISTED).join('; ')}${more}`];
  }

  /**
   * Four of five pictures.
   * @param onProgress told the share of the files that were read
   * @throws M2fpError M2FP_BAD_IMAGE where none of them can be used
   */
  async *inputs(onProgress: (share: number) => void = () => {}): AsyncGenerator<NetworkInput, void> {
    for (const [i, file] of this.#files.entries()) {
      const input = await this.read(file);
      if (input !== undefined) {
        if ((this.#used + this.#heldBack.length) % HELD_BACK_EVERY === HELD_BACK_EVERY - 1)
          this.#heldBack.push(file);
        else {
          this.#used++;
          yield input;
        }
      }
      onProgress((i + 1) / this.#files.length);
    }
    if (this.#used > 0) return;
    throw new M2fpError(
      'M2FP_BAD_IMAGE',
      `None of the pictures can be used: ${this.#problems.slice(0, LISTED).join('; ')}`,
    );
  }

  /** One picture; undefined for one that is of no use. */
  async read(file: string): Promise<NetworkInput | undefined> {
    try {
      const stats = await stat(file);
      if (!stats.isFile()) throw new Error('not a regular file');
      checkBytes(stats.size, DEFAULT_LIMITS);
      const { input } = await preprocess(await readFile(file), this.#rule);
      if (isBlank(input.data)) throw new Error('it shows nothing but one colour');
      return input;
    } catch (error) {
      this.#problems.push(`${file}: ${asM2fpError(error, 'M2FP_BAD_IMAGE').message}`);
      return undefined;
    }
  }
}

/** Whether all pixels of a picture, RGB, are the same. */
function isBlank(data: Uint8Array): boolean {
  for (let i = 3; i < data.length; i++) if (data[i] !== data[i - 3]) return false;
  return true;
}
