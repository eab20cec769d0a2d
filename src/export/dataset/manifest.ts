/** What a data set holds: the one truth, from which the files about all pictures are written. */
import { M2fpError } from '../../errors.ts';
import type { Category } from '../categories.ts';
import type { DataSetPlan } from '../export-options.ts';
import type { PictureRecord, Place } from '../formats/format.ts';
import { UniqueNames } from './file-names.ts';
import { JsonLines, type Span } from './json-lines.ts';

/** The first line. */
interface Head {
  m2fp: 'data set';
  version: 1;
  plan: DataSetPlan;
  categories: readonly Category[];
}

/** Any other line. Of two with one digest the later one holds. */
export interface Entry extends PictureRecord {
  /** SHA-256 of the picture as it came, hex. */
  digest: string;
  /** Annotations. */
  count: number;
  /** Files of the picture, in the data set's folder, with slashes. */
  files: string[];
}

/** What is kept in memory of a picture. */
interface Known {
  span: Span;
  id: number;
  stem: string;
  subset: Place['subset'];
}

export class Manifest {
  readonly #lines: JsonLines;
  readonly #known = new Map<string, Known>();
  readonly #names = new UniqueNames();
  #head: Head | undefined;
  #lastImage = 0;
  #lastAnnotation = 0;

  /** @throws {M2fpError} `M2FP_NOT_KEPT` where the file is damaged, or no manifest */
  static async open(file: string): Promise<Manifest> {
    const manifest = new Manifest(await JsonLines.open(file));
    try {
      await manifest.#scan(file);
      return manifest;
    } catch (error) {
      await manifest.close();
      throw error;
    }
  }

  private constructor(lines: JsonLines) {
    this.#lines = lines;
  }

  /** Undefined until the first picture. */
  get head(): Pick<Head, 'plan' | 'categories'> | undefined {
    return this.#head;
  }

  count(subset?: Place['subset']): number {
    if (subset === undefined) return this.#known.size;
    let count = 0;
    for (const known of this.#known.values()) if (known.subset === subset) count++;
    return count;
  }

  async begin(plan: DataSetPlan, categories: readonly Category[]): Promise<void> {
    const head: Head = { m2fp: 'data set', version: 1, plan, categories };
    await this.#lines.append(head);
    this.#head = head;
  }

  find(digest: string): Omit<Known, 'span'> | undefined {
    return this.#known.get(digest);
  }

  async entry(digest: string): Promise<Entry | undefined> {
    const known = this.#known.get(digest);
    return known === undefined ? undefined : ((await this.#lines.read(known.span)) as unknown as Entry);
  }

  /** A number and a name that no picture has. */
  reserve(name: string): { id: number; stem: string } {
    return { id: ++this.#lastImage, stem: this.#names.take(name) };
  }

  /** Adds the picture, or replaces that of the same digest; its annotations get numbers that none ever had. */
  async put(entry: Omit<Entry, 'first'>): Promise<void> {
    const first = this.#lastAnnotation + 1;
    const span = await this.#lines.append({ ...entry, first });
    this.#lastAnnotation += entry.count;
    this.#keep(entry, span);
  }

  /** In the order of their numbers. */
  async *records(subset?: Place['subset']): AsyncIterable<Entry> {
    const chosen = [...this.#known.values()]
      .filter((known) => subset === undefined || known.subset === subset)
      .toSorted((a, b) => a.id - b.id);
    for (const { span } of chosen) yield (await this.#lines.read(span)) as unknown as Entry;
  }

  close(): Promise<void> {
    return this.#lines.close();
  }

  async #scan(file: string): Promise<void> {
    for await (const { value, span } of this.#lines.scan()) {
      if (this.#head === undefined) {
        if (value['m2fp'] !== 'data set' || value['version'] !== 1) {
          throw new M2fpError(
            'M2FP_NOT_KEPT',
            `${file} is no manifest of this version: choose another folder.`,
          );
        }
        this.#head = value as unknown as Head;
        continue;
      }
      const entry = value as unknown as Entry;
      this.#keep(entry, span);
      this.#names.add(entry.stem);
      this.#lastImage = Math.max(this.#lastImage, entry.id);
      this.#lastAnnotation = Math.max(this.#lastAnnotation, entry.first + entry.count - 1);
    }
  }

  #keep({ digest, id, stem, subset }: Omit<Entry, 'first'>, span: Span): void {
    this.#known.set(digest, { span, id, stem, subset });
  }
}
