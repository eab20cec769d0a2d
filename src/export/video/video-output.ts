/** The video and the table of boxes while they are written: beside, until both are whole. */
import { rmSync } from 'node:fs';
import { type FileHandle, open, rename, rm } from 'node:fs/promises';
import { asM2fpError, M2fpError } from '../../errors.ts';
import type { Ffmpeg } from '../../ffmpeg.ts';
import type { RawImage } from '../../image/types.ts';
import type { Encoding } from './ffmpeg-arguments.ts';
import { FrameWriter } from './frame-writer.ts';
import { BOXES_HEAD, boxesAsRows, type FrameBoxes } from './person-boxes.ts';
import { countFrames } from './probe.ts';

export class VideoOutput {
  readonly #video: string;
  readonly #boxes: string | undefined;
  #writer: FrameWriter | undefined;
  #ffmpeg: Ffmpeg | undefined;
  #frames = 0;
  #table: FileHandle | undefined;
  readonly #onExit = (): void => {
    for (const file of this.#files) {
      try {
        rmSync(beside(file), { force: true });
      } catch {
        // Who makes the same next writes over it.
      }
    }
  };

  /**
   * @param video path
   * @param boxes path of the table; undefined: none
   */
  constructor(video: string, boxes: string | undefined) {
    this.#video = video;
    this.#boxes = boxes;
  }

  /** @throws {M2fpError} `M2FP_NOT_KEPT`, as all others here */
  async open(ffmpeg: Ffmpeg, encoding: Encoding): Promise<void> {
    this.#ffmpeg = ffmpeg;
    process.on('exit', this.#onExit);
    this.#writer = new FrameWriter(ffmpeg, beside(this.#video), encoding);
    if (this.#boxes === undefined) return;
    await kept(this.#boxes, async () => {
      this.#table = await open(beside(this.#boxes!), 'w');
      await this.#table.writeFile(BOXES_HEAD);
    });
  }

  async write(ticks: number, image: RawImage, boxes: FrameBoxes): Promise<void> {
    await this.#writer!.write(ticks, image);
    this.#frames++;
    if (this.#table === undefined) return;
    await kept(this.#boxes!, () => this.#table!.writeFile(boxesAsRows(boxes)));
  }

  /** Gives the files their names; what had them before is replaced. */
  async finish(): Promise<void> {
    await this.#writer!.end();
    await this.#table?.close();
    const found = await countFrames(this.#ffmpeg!, beside(this.#video));
    if (found !== this.#frames) {
      throw new M2fpError('M2FP_NOT_KEPT', `${this.#video} would hold ${found} of ${this.#frames} frames`);
    }
    for (const file of this.#files) await kept(file, () => rename(beside(file), file));
    process.off('exit', this.#onExit);
  }

  /** Leaves nothing behind. */
  async discard(): Promise<void> {
    await this.#writer?.close();
    await this.#table?.close().catch(() => {});
    for (const file of this.#files) await rm(beside(file), { force: true });
    process.off('exit', this.#onExit);
  }

  get #files(): string[] {
    return this.#boxes === undefined ? [this.#video] : [this.#video, this.#boxes];
  }
}

/** Where a file is written until it is whole. */
function beside(file: string): string {
  return `${file}.partial`;
}

async function kept(file: string, work: () => Promise<void>): Promise<void> {
  try {
    await work();
  } catch (error) {
    throw asM2fpError(error, 'M2FP_NOT_KEPT', `${file} cannot be written`);
  }
}
