/** What all clients of the service have in common: whom they ask, what they take for right, where they note it. */
import type { ParsingSummary } from '../../../src/parsing/summary.ts';
import { ask, type Order, type Outcome } from './client.ts';
import { KEY, STAYS } from './flow.ts';
import { type Ledger, nameOf, NO_ROUTE } from './ledger.ts';
import type { Picture } from './pictures.ts';

/** What every picture may come to while faults happen, and where too many come at once. */
export const PASSING = [
  NO_ROUTE,
  '429 M2FP_BUSY',
  '499 M2FP_CANCELLED',
  '503 M2FP_ENGINE_UNAVAILABLE',
  '503 M2FP_ENGINE_CRASHED',
];

/** A picture that two processes ended at, whoever ended them, is not parsed again for a while. */
export const QUARANTINED = /crashed the engine twice/;

export const PARSE_PATH = '/m2fp/api/parse';

export class Clients {
  readonly ledger: Ledger;
  readonly #url: string;
  /** How many people are found in each picture when nothing else happens. */
  readonly #people = new Map<Picture, number>();

  constructor(url: string, ledger: Ledger) {
    this.#url = url;
    this.ledger = ledger;
  }

  /** Learns what the answers must be. */
  async learn(pictures: readonly Picture[]): Promise<void> {
    for (const picture of pictures) {
      const outcome = await this.ask({ path: PARSE_PATH, body: picture.bytes });
      if (outcome.end !== 'answer' || outcome.status !== 200) throw new Error(`${nameOf(outcome)} at first`);
      this.#people.set(picture, summaryIn(outcome).persons.length);
      this.ledger.note('first', '200');
    }
  }

  /** As a client of the service that stays, unless the order says otherwise. */
  ask(order: Order): Promise<Outcome> {
    const headers = { 'x-api-key': KEY, [STAYS]: order.leaves ? 'goes' : 'stays', ...order.headers };
    return ask(this.#url, { ...order, headers });
  }

  /** Notes what came of a request; what may not come of it is wrong. */
  note(kind: string, outcome: Outcome, expected: readonly string[]): string {
    const name = nameOf(outcome);
    this.ledger.note(kind, name);
    if (!expected.includes(name)) {
      const detail = outcome.end === 'answer' ? outcome.body.toString().slice(0, 300) : '';
      this.ledger.wrong.push(`${kind}: ${name}, which it may not come to. ${detail}`);
    }
    return name;
  }

  /** Whether a result is that of the picture, and no other's. */
  checkResult(kind: string, { width, height, persons }: ParsingSummary, picture: Picture): void {
    const found = [width, height, persons.length].join();
    const right = [picture.width, picture.height, this.#people.get(picture)].join();
    if (found !== right)
      this.ledger.wrong.push(`${kind}: ${found} (width, height, people) instead of ${right}`);
  }
}

export function summaryIn({ body }: { body: Buffer }): ParsingSummary {
  return JSON.parse(body.toString()) as ParsingSummary;
}
