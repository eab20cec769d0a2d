/**
 * What has become of jobs, as BullMQ's stream of events tells it. BullMQ's own reader ends for good with the first event
 * that it cannot understand, or with a connection that it gave up; this one skips what is no news, and begins anew
 * whatever happens.
 */
import { once } from 'node:events';
import type { Redis } from 'ioredis';
import { raceSignal, sleep } from '../../../async.ts';
import { systemClock } from '../../../clock.ts';
import type { Connection } from '../redis/connection.ts';
import { dropConnection, OUT_OF_ORDER } from '../redis/replies.ts';
import { runScript } from '../redis/script.ts';
import type { Names, Times } from '../redis/settings.ts';

/** Events that are read in one go. */
const BATCH = 100;

/** The longest pause before events are read again after that failed, milliseconds. */
const PAUSE = 1000;

/** The id alone: what else the last event holds may be of any length. */
const LAST = `
  local last = redis.call('XREVRANGE', KEYS[1], '+', '-', 'COUNT', 1)[1]
  return { KEYS[1], last and last[1] or '0-0' }`;

export interface JobEventListeners {
  /** A job was completed, or failed for the reason `failure`. */
  onEnd: (id: string, failure?: string) => void;
  /** Events may have been missed: whatever job one waits for may have ended. */
  onGap: () => void;
}

/** An event's id, and the names and values of its fields in turn. */
type Entry = [id: string, fields: string[]];

export class JobEvents {
  readonly #commands: Redis;
  /** Waits for the next events all the time, and does nothing else. */
  readonly #reader: Redis;
  readonly #names: Names;
  readonly #times: Times;
  readonly #listeners: JobEventListeners;
  readonly #closing = new AbortController();
  /** Id of the last event that was read. */
  #last: string;

  /** @param last id of an event: it tells of those that come after it, see {@link lastEvent} */
  constructor(
    { commands }: Connection,
    names: Names,
    times: Times,
    listeners: JobEventListeners,
    last: string,
  ) {
    this.#commands = commands;
    // What was asked on a connection that is lost is given up, and not asked again with an id of before.
    this.#reader = commands.duplicate({ connectionName: names.events, autoResendUnfulfilledCommands: false });
    this.#names = names;
    this.#times = times;
    this.#listeners = listeners;
    this.#last = last;
    void this.#listen();
  }

  /** Tells nothing any more; the connection is ended by whoever made it. */
  close(): void {
    this.#closing.abort();
  }

  /** Goes on until it is closed. Never rejects. */
  async #listen(): Promise<void> {
    const { signal } = this.#closing;
    for (let isBehind = false; !signal.aborted; isBehind = true) {
      try {
        if (isBehind) await this.#catchUp();
        for (;;) this.#tell(await this.#read());
      } catch {
        // Connections tell themselves of what is wrong with them.
      }
      await sleep(Math.min(PAUSE, this.#times.retry), { signal, background: true }).catch(() => {});
    }
  }

  /** Goes to the end of the stream: what could not be read there is found by looking. */
  async #catchUp(): Promise<void> {
    this.#last = await lastEvent(this.#commands, this.#names);
    if (!this.#closing.signal.aborted) this.#listeners.onGap();
  }

  /**
   * The next events; none where none came for a while.
   * Rejects where the connection is lost, and drops it where it answers no more, or something else than it was asked for.
   */
  async #read(): Promise<Entry[]> {
    const reader = this.#reader;
    const { verify } = this.#times;
    if (reader.status !== 'ready') await once(reader, 'ready', { signal: this.#closing.signal });
    const lost = new AbortController();
    const lose = (): void => lost.abort();
    reader.once('close', lose);
    const timer = systemClock.after(
      2 * verify,
      () => dropConnection(reader, 'Socket timeout: events are told no more'),
      { background: true },
    );
    try {
      const asked = reader.xread('COUNT', BATCH, 'BLOCK', verify, 'STREAMS', this.#names.events, this.#last);
      const entries = entriesIn(await raceSignal<unknown>(asked, lost.signal));
      // The last id again means an old reply: the connection is out of step.
      if (entries !== null && entries.at(-1)?.[0] !== this.#last) return entries;
      dropConnection(reader, OUT_OF_ORDER);
      throw new Error(OUT_OF_ORDER);
    } finally {
      timer.cancel();
      reader.off('close', lose);
    }
  }

  #tell(entries: readonly Entry[]): void {
    for (const [id, fields] of entries) {
      if (this.#closing.signal.aborted) return;
      this.#last = id;
      const { event, jobId, failedReason } = fieldsIn(fields);
      if (jobId === undefined) continue;
      if (event === 'completed') this.#listeners.onEnd(jobId);
      if (event === 'failed') this.#listeners.onEnd(jobId, failedReason);
    }
  }
}

/** Id of the last event of a queue; one before all others where there is none. Rejects with what Redis says. */
export async function lastEvent(redis: Redis, { events }: Names): Promise<string> {
  const [id] = await runScript(redis, LAST, [events]);
  return String(id);
}

/** The events in a reply about one stream; null where it is none. */
function entriesIn(reply: unknown): Entry[] | null {
  if (reply === null) return [];
  const [stream] = Array.isArray(reply) ? (reply as unknown[]) : [];
  const entries: unknown = Array.isArray(stream) ? stream[1] : null;
  if (!Array.isArray(entries)) return null;
  const areAll = entries.every(
    (entry) => Array.isArray(entry) && typeof entry[0] === 'string' && Array.isArray(entry[1]),
  );
  return areAll ? (entries as Entry[]) : null;
}

function fieldsIn(fields: readonly string[]): Partial<Record<'event' | 'jobId' | 'failedReason', string>> {
  const names = fields.filter((_field, index) => index % 2 === 0);
  return Object.fromEntries(names.map((name, index) => [name, fields[2 * index + 1]]));
}
