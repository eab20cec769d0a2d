/** Who may ask, and how much at a time. */
import { createHash, timingSafeEqual } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';
import { type Clock, systemClock } from '../clock.ts';
import { M2fpError } from '../errors.ts';

const digestOf = (text: string): Buffer => createHash('sha256').update(text).digest();

/** The keys of a service, of which a request must show one; none: everybody may ask. */
export class ApiKeys {
  readonly #digests: readonly Buffer[];

  /** @param keys with blanks, commas or line breaks between them */
  constructor(keys: string | undefined) {
    this.#digests = (keys ?? '')
      .split(/[\s,]+/)
      .filter(Boolean)
      .map(digestOf);
  }

  /**
   * What tells the client apart by its key; undefined where no keys are asked for. All keys are compared, and digests
   * of one length, so that the time tells nothing.
   * @throws {M2fpError} `M2FP_UNAUTHORIZED`
   */
  check(headers: IncomingHttpHeaders): string | undefined {
    if (this.#digests.length === 0) return undefined;
    const given = keyIn(headers);
    const digest = digestOf(given ?? '');
    let isRight = false;
    for (const own of this.#digests) isRight = timingSafeEqual(own, digest) || isRight;
    if (given !== undefined && isRight) return digest.toString('base64');
    throw new M2fpError(
      'M2FP_UNAUTHORIZED',
      given === undefined
        ? 'This service wants an API key: send it as "Authorization: Bearer KEY" or as "X-API-Key: KEY".'
        : 'The API key is not one of this service.',
    );
  }
}

function keyIn(headers: IncomingHttpHeaders): string | undefined {
  const bearer = /^\s*bearer\s+(\S+)\s*$/i.exec(headers.authorization ?? '')?.[1];
  const own = headers['x-api-key'];
  return bearer ?? (typeof own === 'string' && own.trim() !== '' ? own.trim() : undefined);
}

/**
 * Where a request comes from, IPv6 as the network that one customer has.
 * @param proxies how many of our own it passed on its way, each of which notes in X-Forwarded-For whom it heard from;
 *   0: nobody's word is taken
 */
export function addressOf(
  remote: string | undefined,
  forwarded: string | string[] | undefined,
  proxies: number,
): string {
  const noted = String(forwarded ?? '')
    .split(',')
    .map((address) => address.trim())
    .filter(Boolean);
  const told = proxies > 0 ? (noted[Math.max(0, noted.length - proxies)] ?? remote) : remote;
  // A proxy may note the port, too; an address of IPv4 may come as one of IPv6.
  const address = (told ?? '')
    .replace(/^\[|\](:\d+)?$/g, '')
    .replace(/^::ffff:(?=\d+\.)/i, '')
    .replace(/^([\d.]+):\d+$/, '$1');
  return address.includes(':') ? expanded(address).slice(0, 4).join(':') : address;
}

/** The groups of an IPv6 address. */
function expanded(address: string): string[] {
  const [head = '', tail] = address.toLowerCase().split('%', 1)[0]!.split('::');
  const before = head === '' ? [] : head.split(':');
  const after = tail === undefined || tail === '' ? [] : tail.split(':');
  const zeros = tail === undefined ? 0 : Math.max(0, 8 - before.length - after.length);
  return [...before, ...Array.from({ length: zeros }, () => '0'), ...after];
}

export interface ClientBounds {
  /** Requests of one client that may be answered at the same time; null: any number. */
  concurrent: number | null;
  /** Requests of one client in a minute, on the average; as many may come at once. null: any number. */
  perMinute: number | null;
}

/** Clients that are remembered: of more, those that asked longest ago are forgotten. */
const MOST_CLIENTS = 10_000;
const MINUTE = 60_000;

interface Client {
  running: number;
  /** Requests that it may still send at once, at the time `since`. */
  left: number;
  since: number;
}

/** A refusal with the seconds after which the client may try again. */
export class Throttled extends M2fpError {
  readonly retryAfter: number;
  constructor(message: string, retryAfter: number) {
    super('M2FP_BUSY', message);
    this.retryAfter = retryAfter;
  }
}

/** Counts the requests of each client. */
export class ClientLimits {
  readonly #bounds: ClientBounds;
  readonly #clock: Clock;
  /** In the order of their last requests. */
  readonly #clients = new Map<string, Client>();

  constructor(bounds: ClientBounds, clock: Clock = systemClock) {
    this.#bounds = bounds;
    this.#clock = clock;
  }

  /** Lets one request in. Returns the function to call when it has been answered. @throws {Throttled} */
  enter(name: string): () => void {
    const { concurrent, perMinute } = this.#bounds;
    if (concurrent === null && perMinute === null) return () => {};
    const now = this.#clock.now();
    const client = this.#clients.get(name) ?? { running: 0, left: perMinute ?? 0, since: now };
    if (concurrent !== null && client.running >= concurrent) {
      throw new Throttled(
        `You have ${client.running} requests that are not answered yet, and no more are taken at the same time: wait ` +
          'for an answer before you send the next picture.',
        1,
      );
    }
    if (perMinute !== null) {
      const left = Math.min(perMinute, client.left + ((now - client.since) * perMinute) / MINUTE);
      if (left < 1) {
        const wait = Math.max(1, Math.ceil(((1 - left) * MINUTE) / perMinute / 1000));
        throw new Throttled(
          `You may send ${perMinute} pictures a minute: send the next one in ${wait} s.`,
          wait,
        );
      }
      client.left = left - 1;
      client.since = now;
    }
    client.running++;
    this.#clients.delete(name);
    this.#clients.set(name, client);
    this.#forget();
    let isOver = false;
    return () => {
      if (!isOver) client.running--;
      isOver = true;
    };
  }

  #forget(): void {
    if (this.#clients.size <= MOST_CLIENTS) return;
    for (const [name, { running }] of this.#clients) {
      if (running > 0) continue;
      this.#clients.delete(name);
      return;
    }
  }
}
