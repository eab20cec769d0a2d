/** The pictures of a folder, as network input: those that the ranges of activations are taken from, and those held back. */
import { basename } from 'node:path';
import { asM2fpError, M2fpError } from '../errors.ts';
import { readPicture } from '../image/folder.ts';
import { preprocess } from '../image/preprocess.ts';
import type { NetworkInput } from '../image/types.ts';
import type { InputRule } from '../m2fp/manifest.ts';

/** Every so many-th picture is held back, to compare the models on what the ranges were not taken from. */
const HELD_BACK_EVERY = 5;
/** How many an error lists where none can be used: mostly for the same reason. */
const LISTED = 3;

/** Reads pictures one by one, and keeps account of those that are of no use, and of those that are held back. */
export class Pictures {
  readonly #files: readonly string[];
  readonly #rule: InputRule;
  /** Why a file was left out, by its path. */
  readonly #problems = new Map<string, M2fpError>();
  readonly #heldBack: string[] = [];
  readonly #empty: string[] = [];
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

  /** What a user should know: each picture that was left out, with the reason, and those held back that show nobody. */
  get warnings(): string[] {
    const leftOut = [...this.#problems].map(
      ([file, { code, message }]) => `${basename(file)} was left out: ${code}: ${message}`,
    );
    if (this.#empty.length === 0) return leftOut;
    const names = this.#empty.map((file) => basename(file)).join(', ');
    return [
      ...leftOut,
      `Both models saw nobody in these pictures, which tell nothing of how near they are: ${names}`,
    ];
  }

  /** Notes that both models saw nothing but background in one of those that are held back. */
  showsNobody(file: string): void {
    this.#empty.push(file);
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
    const problems = [...this.#problems].map(([file, { message }]) => `${basename(file)}: ${message}`);
    const more = problems.length > LISTED ? `; and ${problems.length - LISTED} more` : '';
    throw new M2fpError(
      'M2FP_BAD_IMAGE',
      `None of the pictures can be used: ${problems.slice(0, LISTED).join('; ')}${more}`,
    );
  }

  /** One picture; undefined for one that is of no use. */
  async read(file: string): Promise<NetworkInput | undefined> {
    try {
      const { input } = await preprocess(await readPicture(file), this.#rule);
      if (isBlank(input.data)) throw new M2fpError('M2FP_NOTHING_FOUND', 'it shows nothing but one colour');
      return input;
    } catch (error) {
      this.#problems.set(file, asM2fpError(error, 'M2FP_BAD_IMAGE'));
      return undefined;
    }
  }
}

/** Whether all pixels of a picture, RGB, are the same. */
function isBlank(data: Uint8Array): boolean {
  for (let i = 3; i < data.length; i++) if (data[i] !== data[i - 3]) return false;
  return true;
}
