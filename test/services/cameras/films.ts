/** Cameras that show the drawn sequences over and over, with nobody there in between: which one comes next, a seed says. */
import { EventEmitter, once } from 'node:events';
import type { ServerResponse } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { readSequence, type Sequence, SEQUENCE_NAMES } from '../../../bench/track/sequences.ts';
import { CameraServer } from '../../camera/support/camera-server.ts';
import type { Random } from '../support/random.ts';

/** Frames a second. */
const RATE = 2;
/** Milliseconds from one frame to the next, on average. */
export const STEP = 1000 / RATE;
/** Frames of nobody after a sequence: whoever was there is gone by then. */
const PAUSE = 9 * RATE;
const BOUNDARY = 'frame';

export const SEQUENCES = SEQUENCE_NAMES.map((name) => readSequence(name, RATE));

/** The room before anybody comes. */
export const NOBODY = readSequence('pass', RATE).frames[0]!;

/** A sequence that was shown, with nobody at its end. */
export interface Pass {
  sequence: Sequence;
  /** Milliseconds since 1970, and for how long it takes. */
  began: number;
  duration: number;
  /** Frames that the camera had shown before. */
  first: number;
  frames: number;
}

/** What a camera shows. */
export class Film {
  readonly passes: Pass[] = [];
  #shown = 0;
  #bag: Sequence[] = [];
  readonly #random: Random;
  readonly #watchers = new Set<ServerResponse>();
  readonly #events = new EventEmitter();

  constructor(random: Random) {
    this.#random = random;
  }

  /** Whoever asks for it gets it from here on. */
  watch(response: ServerResponse): void {
    response.writeHead(200, { 'content-type': `multipart/x-mixed-replace; boundary=${BOUNDARY}` });
    this.#watchers.add(response);
    response.on('close', () => this.#watchers.delete(response));
    this.#events.emit('watched');
  }

  /**
   * Begins when somebody watches, and resolves when all are gone who came; nobody comes any more then.
   * @param until milliseconds since 1970: no other sequence begins later
   * @param seen resolves when so many frames were seen; the next one waits for that
   */
  async play(until: number, seen: (frames: number) => Promise<void>): Promise<void> {
    if (this.#watchers.size === 0) await once(this.#events, 'watched');
    do {
      const sequence = this.#next();
      const end = sequence.frames.at(-1)!.time;
      const nobody = Array.from({ length: PAUSE }, (_, frame) => ({
        image: NOBODY.image,
        time: end + (frame + 1) * STEP,
      }));
      const frames = [...sequence.frames, ...nobody];
      const began = Date.now();
      const duration = frames.at(-1)!.time;
      this.passes.push({ sequence, began, duration, first: this.#shown, frames: frames.length });
      for (const { image, time } of frames) {
        await sleep(Math.max(0, began + time - Date.now()));
        this.#show(image);
        await seen(this.#shown);
      }
      await sleep(STEP);
    } while (Date.now() < until);
    void this.#idle();
  }

  /** A camera that sends nothing would count as lost. */
  async #idle(): Promise<void> {
    while (this.#watchers.size > 0) {
      this.#show(NOBODY.image);
      await sleep(STEP);
    }
  }

  #show(image: Buffer): void {
    this.#shown++;
    for (const response of this.#watchers) {
      response.write(`--${BOUNDARY}\r\nContent-Type: image/jpeg\r\nContent-Length: ${image.length}\r\n\r\n`);
      response.write(image);
      response.write('\r\n');
    }
  }

  /** Each sequence comes once before one comes twice. */
  #next(): Sequence {
    if (this.#bag.length === 0) this.#bag = [...SEQUENCES];
    const [sequence] = this.#bag.splice(this.#random.below(this.#bag.length), 1);
    return sequence!;
  }
}

/** A server that shows a film at `/NAME` for each of them. */
export async function showFilms(films: ReadonlyMap<string, Film>): Promise<CameraServer> {
  const server = await new CameraServer().start();
  server.handler = ({ url = '' }, response) => {
    const film = films.get(url.slice(1));
    if (film) film.watch(response);
    else response.writeHead(404).end();
  };
  return server;
}
