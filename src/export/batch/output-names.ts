/** Which picture of a batch has which files: no two pictures have one. */
import { kindOf, unitOf } from './made-files.ts';

export class OutputNames {
  /** The picture that a path is of, by the path's key. */
  readonly #owners = new Map<string, string>();
  /** Folders that such paths lie in. */
  readonly #folders = new Set<string>();

  /** Marks what an earlier run has made of a picture: it stays that one's. */
  add(file: string, outputs: readonly string[]): void {
    for (const output of outputs) if (kindOf(output) !== undefined) this.#mark(file, key(unitOf(output)));
  }

  /**
   * The name that the files of a picture have: its own, or, where another picture has one of these files, with a number before
   * its ending, or in its folder's name. Names that differ in the case of letters alone, or in how an accent is written, are one file on some systems.
   * @param file see `Source`
   * @param name the one it has alone
   * @param pathsOf all that may be made under a name, below the folder of the output, with slashes
   */
  take(file: string, name: string, pathsOf: (name: string) => readonly string[]): string {
    let [folder, number] = [1, 1];
    for (;;) {
      const candidate = numbered(name, folder, number);
      const keys = pathsOf(candidate).map(key);
      if (keys.some((each) => foldersOf(each).some((above) => this.#isOthers(file, above)))) folder++;
      // A folder cannot be where a file is.
      else if (keys.some((each) => this.#isOthers(file, each) || this.#folders.has(each))) number++;
      else {
        for (const each of keys) this.#mark(file, each);
        return candidate;
      }
    }
  }

  #isOthers(file: string, path: string): boolean {
    return (this.#owners.get(path) ?? file) !== file;
  }

  #mark(file: string, path: string): void {
    // The first one has it.
    if (this.#owners.has(path)) return;
    this.#owners.set(path, file);
    for (const folder of foldersOf(path)) this.#folders.add(folder);
  }
}

/** With a number in the first of its folders, and one before its ending; none is 1. */
function numbered(name: string, folder: number, number: number): string {
  const above = folder === 1 ? name : name.replace(/(?=\/)/, `-${folder}`);
  return number === 1 ? above : above.replace(/(?=(?:\.[^./]*)?$)/, `-${number}`);
}

/** The folders that a path lies in, but the first: of "json/a/b.json" "json/a". */
function foldersOf(path: string): string[] {
  const parts = path.split('/');
  return parts.slice(2).map((_part, i) => parts.slice(0, i + 2).join('/'));
}

/** Equal for paths that are one file somewhere. */
function key(path: string): string {
  return path.normalize('NFC').toUpperCase();
}
