/** What a batch is about to write, on the disk before the files are: a run that is killed in between knows what it has left. */
import { rename, rm } from 'node:fs/promises';
import { JsonLines } from '../dataset/json-lines.ts';

export class Begun {
  readonly #file: string;
  readonly #lines: JsonLines;
  /** Paths of each picture that has no line in the report since. */
  readonly #paths = new Map<string, readonly string[]>();

  /**
   * Reads what an earlier run has left.
   * @param onLine told of each picture, and of the paths that there may be of it
   * @throws {M2fpError} `M2FP_NOT_KEPT` where the file is damaged; file system errors
   */
  static async open(
    file: string,
    onLine?: (picture: { file: string; paths: readonly string[] }) => void,
  ): Promise<Begun> {
    const begun = new Begun(file, await JsonLines.open(file));
    for await (const { value } of begun.#lines.scan()) {
      const picture = { file: String(value['file']), paths: textsIn(value['paths']) };
      begun.#add(picture.file, picture.paths);
      onLine?.(picture);
    }
    return begun;
  }

  private constructor(file: string, lines: JsonLines) {
    this.#file = file;
    this.#lines = lines;
  }

  /** Files that there may be of a picture beside those that the report tells of, below the folder of the output. */
  of(file: string): readonly string[] {
    return this.#paths.get(file) ?? [];
  }

  /** Resolves when it is written down that these files may be there from now on. */
  async begin(file: string, paths: readonly string[]): Promise<void> {
    if (paths.length === 0) return;
    this.#add(file, paths);
    await this.#lines.append({ file, paths });
  }

  /** The report tells of all files of the picture now. */
  end(file: string): void {
    this.#paths.delete(file);
  }

  /** Leaves lines of pictures that were not ended. */
  async close(): Promise<void> {
    await this.#lines.close();
    const beside = `${this.#file}.partial`;
    await rm(beside, { force: true });
    if (this.#paths.size === 0) return rm(this.#file, { force: true });
    const left = await JsonLines.open(beside);
    for (const [file, paths] of this.#paths) await left.append({ file, paths });
    await left.close();
    await rename(beside, this.#file);
  }

  #add(file: string, paths: readonly string[]): void {
    this.#paths.set(file, [...new Set([...this.of(file), ...paths])]);
  }
}

function textsIn(value: unknown): string[] {
  return Array.isArray(value) ? value.filter((each) => typeof each === 'string') : [];
}
