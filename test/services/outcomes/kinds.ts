/** Requests of all kinds, and what each may come to. */
import sharp from 'sharp';
import { anyLeaving, type Leaving, type Order, type Outcome } from './client.ts';
import { Clients, PARSE_PATH, PASSING, QUARANTINED, summaryIn } from './clients.ts';
import { Jobs } from './jobs.ts';
import { NO_ROUTE } from './ledger.ts';
import { damaged, oversized, type Picture, unlike } from './pictures.ts';
import type { Random } from '../support/random.ts';

/** How often each kind comes among hundred. */
export const KINDS = {
  good: 34,
  coloured: 6,
  duplicated: 8,
  corrupt: 7,
  oversized: 4,
  cancelled: 8,
  vanishing: 8,
  'wrong key': 3,
  'wrong option': 3,
  job: 7,
  'repeated job': 2,
  'duplicated job': 2,
  'corrupt job': 3,
  'job taken back': 3,
  'vanishing job': 2,
} as const;
export type Kind = keyof typeof KINDS;

/** A deploy came before the answer. */
const STOPPED = '499 M2FP_CANCELLED';

const COLOURED_PATH = '/m2fp/upload';

export class Traffic {
  readonly jobs: Jobs;
  readonly #clients: Clients;
  readonly #pictures: readonly Picture[];

  constructor(clients: Clients, pictures: readonly Picture[]) {
    this.#clients = clients;
    this.#pictures = pictures;
    this.jobs = new Jobs(clients);
  }

  /** Sends what the kind stands for, and notes what came of it. */
  async send(kind: Kind, random: Random): Promise<void> {
    const picture = random.pick(this.#pictures);
    const body = unlike(picture, random);
    switch (kind) {
      case 'good':
      case 'duplicated': {
        const copies = kind === 'good' ? 1 : 2;
        const path = `${PARSE_PATH}${random.pick(['', '?masks=rle', '?masks=polygon'])}`;
        await Promise.all(Array.from({ length: copies }, () => this.#good(kind, { path, body }, picture)));
        return;
      }
      case 'coloured':
        return this.#good(kind, { path: COLOURED_PATH, body }, picture);
      case 'corrupt':
        return this.#refused(kind, { body: damaged(picture) }, ['400 M2FP_BAD_IMAGE', ...PASSING]);
      case 'oversized':
        return this.#refused(kind, { body: oversized(random) }, [
          '413 M2FP_IMAGE_TOO_LARGE',
          'closed',
          ...PASSING,
        ]);
      case 'cancelled':
        return this.#leaving(kind, { afterMs: random.below(300) }, body, picture);
      case 'vanishing':
        return this.#leaving(kind, anyLeaving(random), body, picture);
      case 'wrong key':
        return this.#refused(kind, { body, headers: { 'x-api-key': 'wrong' } }, [
          '401 M2FP_UNAUTHORIZED',
          STOPPED,
          NO_ROUTE,
        ]);
      case 'wrong option':
        return this.#refused(kind, { path: `${PARSE_PATH}?mask=rle`, body }, [
          '400 M2FP_BAD_OPTION',
          STOPPED,
          NO_ROUTE,
        ]);
      case 'job':
        return this.jobs.done(kind, body, picture);
      case 'repeated job':
        return this.jobs.repeated(kind, body, `${random.next()}`, picture);
      case 'duplicated job':
        await Promise.all([this.jobs.done(kind, body, picture), this.jobs.done(kind, body, picture)]);
        return;
      case 'corrupt job':
        return this.jobs.failed(kind, damaged(picture));
      case 'job taken back':
        return this.jobs.takenBack(kind, body, random.below(300));
      case 'vanishing job':
        return this.jobs.vanishing(kind, body, anyLeaving(random));
    }
  }

  async #good(kind: Kind, order: Order, picture: Picture): Promise<void> {
    const outcome = await this.#clients.ask(order);
    if (outcome.end === 'answer' && QUARANTINED.test(outcome.body.toString())) {
      this.#clients.note(kind, outcome, ['400 M2FP_BAD_IMAGE']);
      return;
    }
    this.#clients.note(kind, outcome, ['200', ...PASSING]);
    await this.#check(kind, outcome, picture);
  }

  async #check(kind: Kind, outcome: Outcome, picture: Picture): Promise<void> {
    if (outcome.end !== 'answer' || outcome.status !== 200) return;
    if (kind !== 'coloured') return this.#clients.checkResult(kind, summaryIn(outcome), picture);
    const { width, height } = await sharp(outcome.body).metadata();
    if (width !== picture.width || height !== picture.height) {
      this.#clients.ledger.wrong.push(
        `${kind}: ${width} x ${height} instead of ${picture.width} x ${picture.height}`,
      );
    }
  }

  async #refused(kind: Kind, order: Partial<Order>, expected: readonly string[]): Promise<void> {
    this.#clients.note(kind, await this.#clients.ask({ path: PARSE_PATH, ...order }), expected);
  }

  async #leaving(kind: Kind, leaves: Leaving, body: Buffer, picture: Picture): Promise<void> {
    const outcome = await this.#clients.ask({ path: PARSE_PATH, body, leaves });
    this.#clients.note(kind, outcome, ['left', '200', ...PASSING]);
    await this.#check(kind, outcome, picture);
  }
}
