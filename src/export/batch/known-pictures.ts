/** Which picture of the report one is: by where it lies, whatever it is called this time. */
import { digestOf } from '../../engine/input-image.ts';
import { fileText } from './file-text.ts';
import type { Report, ReportLine } from './report.ts';
import { absolutePath, type Source } from './sources.ts';

/** The report, and how pictures are read. */
interface Means {
  report: Pick<Report, 'find'>;
  read: (source: Source) => Promise<Buffer>;
}

export class KnownPictures {
  /** What each is called in the report, by where it lies. */
  readonly #files = new Map<string, string>();

  /** Remembers a line of an earlier run. */
  add({ file, path }: Pick<ReportLine, 'file' | 'path'>): void {
    if (!this.#files.has(path)) this.#files.set(path, file);
  }

  /** The pictures by the names that the report has for them; none has that of another one. */
  async *named(sources: AsyncIterable<Source> | Iterable<Source>, means: Means): AsyncIterable<Source> {
    for await (const source of sources) yield { path: source.path, file: await this.#fileOf(source, means) };
  }

  async #fileOf(source: Source, { report, read }: Means): Promise<string> {
    const place = placeOf(source);
    const known = this.#files.get(place);
    if (known !== undefined) return known;
    const other = await report.find(source.file);
    if (other === undefined || other.path === place) return source.file;
    // Folders are moved, and drives are elsewhere on other machines: where its bytes are the same, it is that picture.
    const digest = await read(source).then(digestOf, () => undefined);
    return digest !== undefined && digest === other.digest ? source.file : place;
  }
}

/** Where a picture lies, as text; unlike that of any other picture. */
export function placeOf({ path }: Pick<Source, 'path'>): string {
  return fileText(absolutePath(path));
}
