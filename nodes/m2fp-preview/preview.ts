/** What one preview node shows: the latest of its messages, no oftener than twice a second. */
import { systemClock, type Clock, type Timer } from '../../src/clock.ts';
import {
  imageThumbnail,
  previewMaps,
  type PreviewMaps,
  type PreviewImage,
  previewSource,
  previewThumbnail,
  type PreviewThumbnail,
  type PreviewView,
} from '../../src/parsing/colorize/preview.ts';
import type { Parsing } from '../../src/parsing/types.ts';

/** Milliseconds between two thumbnails: each of them is told to every open editor. */
const INTERVAL = 500;
/** No side of the enlarged picture is longer, pixels. */
const MAX_SIDE = 1280;

/** What a message brought. */
export type Subject = { parsing: Parsing } | { image: Buffer };

export interface PreviewSettings {
  view: PreviewView;
  /** Of the thumbnail's longer side, pixels. */
  size: number;
  minScore: number;
}

/** A thumbnail and what makes it another than the one before. */
export interface Thumbnail extends PreviewThumbnail {
  seq: number;
}

export interface PreviewListener {
  /** There is another thumbnail, or none any more. */
  changed(thumbnail: Thumbnail | null): void;
  failed(error: unknown): void;
}

/** What the enlarged view shows. */
export interface Detail {
  source: PreviewImage;
  /** Null for a picture without a parsing. */
  parsed: PreviewMaps | null;
}

export class Preview {
  readonly #settings: PreviewSettings;
  readonly #listener: PreviewListener;
  readonly #clock: Clock;
  /** The newest one that is not drawn yet. */
  #next: Subject | null = null;
  #drawn: { subject: Subject; thumbnail: Thumbnail; detail: Promise<Detail> | null } | null = null;
  #busy = false;
  #timer: Timer | null = null;
  #notBefore = -Infinity;
  #seq = 0;
  /** How often it was cleared: what was begun before is not shown. */
  #clears = 0;
  #closed = false;

  constructor(settings: PreviewSettings, listener: PreviewListener, clock: Clock = systemClock) {
    this.#settings = settings;
    this.#listener = listener;
    this.#clock = clock;
  }

  get thumbnail(): Thumbnail | null {
    return this.#drawn?.thumbnail ?? null;
  }

  /** Shows `subject` as soon as it may, unless a newer one comes first. */
  show(subject: Subject): void {
    if (this.#closed) return;
    this.#next = subject;
    this.#pump();
  }

  /** The picture and the maps of what the thumbnail shows, made once; undefined where there is none. */
  detail(): Promise<Detail> | undefined {
    const drawn = this.#drawn;
    if (drawn === null) return undefined;
    drawn.detail ??= this.#detailOf(drawn.subject);
    return drawn.detail;
  }

  /** Shows nothing any more and keeps no picture. */
  clear(): void {
    this.#clears++;
    this.#next = null;
    this.#timer?.cancel();
    this.#timer = null;
    if (this.#drawn === null) return;
    this.#drawn = null;
    this.#listener.changed(null);
  }

  close(): void {
    this.#closed = true;
    this.clear();
  }

  #pump(): void {
    if (this.#busy || this.#timer !== null || this.#next === null) return;
    const rest = this.#notBefore - this.#clock.now();
    if (rest > 0) {
      this.#timer = this.#clock.after(rest, () => {
        this.#timer = null;
        this.#pump();
      });
      return;
    }
    const subject = this.#next;
    this.#next = null;
    void this.#draw(subject);
  }

  /** Never rejects. */
  async #draw(subject: Subject): Promise<void> {
    this.#busy = true;
    this.#notBefore = this.#clock.now() + INTERVAL;
    const clears = this.#clears;
    try {
      const drawn = await this.#thumbnailOf(subject);
      // Closing clears, too.
      if (this.#clears !== clears) return;
      const thumbnail = { ...drawn, seq: ++this.#seq };
      this.#drawn = { subject, thumbnail, detail: null };
      this.#listener.changed(thumbnail);
    } catch (error) {
      if (this.#clears === clears) this.#listener.failed(error);
    } finally {
      this.#busy = false;
      this.#pump();
    }
  }

  async #thumbnailOf(subject: Subject): Promise<PreviewThumbnail> {
    const { view, size, minScore } = this.#settings;
    if ('parsing' in subject) return previewThumbnail(subject.parsing, { view, minScore, maxSide: size });
    return { ...(await imageThumbnail(subject.image, size)), legend: [], labels: 0 };
  }

  async #detailOf(subject: Subject): Promise<Detail> {
    if ('image' in subject) return { source: await imageThumbnail(subject.image, MAX_SIDE), parsed: null };
    const source = await previewSource(subject.parsing, MAX_SIDE);
    return { source, parsed: await previewMaps(subject.parsing, this.#settings.minScore, source) };
  }
}
