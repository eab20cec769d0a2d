/** The connections that clients and workers have to Redis. */
import { Redis, type RedisOptions } from 'ioredis';
import { raceSignal } from '../../../async.ts';
import { systemClock, type Timer } from '../../../clock.ts';
import { M2fpError } from '../../../errors.ts';
import { connectionFailure, redisAddress, RedisFailure, refusalOf } from './address.ts';
import { Pulse } from './pulse.ts';
import type { WorkerAddress } from '../client/transport.ts';
import { checkOrder, limitReplies, ReplyWatch } from './replies.ts';
import { namesOf, type Times } from './settings.ts';

/** GETDEL came with it, and BullMQ recommends it. */
const LEAST_VERSION = [6, 2] as const;

/** Bytes of the longest reply where nobody asked for more. */
const USUAL_REPLY = 8 * 2 ** 20;

/** Pause before the first attempt to get a lost connection back; it doubles with every further one. */
const FIRST_RETRY = 100;

export interface ConnectionListeners {
  /** Called when Redis is lost or back, takes no changes any more or takes them again, and when the reason has changed. */
  onChange: () => void;
  onMessage: (channel: string, message: string) => void;
}

/** Connections to one Redis: one for commands, one that hears channels, and those that BullMQ makes for itself. */
export class Connection {
  /** While the connection is lost, commands wait for its return. */
  readonly commands: Redis;
  readonly #url: string;
  /** What nobody puts anything under. */
  readonly #pulseKey: string;
  readonly #times: Times;
  readonly #all: { redis: Redis; watch: ReplyWatch }[] = [];
  #opened = false;
  #lastError: unknown = undefined;
  #failure: RedisFailure | null = null;
  #lostAt: number | null = null;
  #listeners: ConnectionListeners = { onChange: ignore, onMessage: ignore };
  #longestReply = USUAL_REPLY;
  #timer: Timer | null = null;
  #pulse: Pulse | null = null;
  /** How often it was looked whether answers are to what was asked. */
  #looks = 0;

  private constructor(address: WorkerAddress, times: Times) {
    this.#url = address.url;
    this.#pulseKey = namesOf(address.queue).pulse;
    this.#times = times;
    const options: RedisOptions = {
      ...redisAddress(address),
      lazyConnect: true,
      connectTimeout: times.connect,
      // A Redis that reads its data at the moment is asked again often enough to see that it still answers.
      maxLoadingRetryTime: times.verify / 4,
      socketTimeout: times.briefSilence,
      // ioredis would not catch it where Redis says no.
      autoResubscribe: false,
      maxRetriesPerRequest: null,
      // Nobody waits for a connection that never was.
      retryStrategy: (attempt) =>
        this.#opened ? Math.min(FIRST_RETRY * 2 ** (attempt - 1), times.retry) : null,
    };
    this.commands = new Redis({ ...options, socketTimeout: times.silence });
    this.#own(this.commands, () => this.#longestReply);
    // BullMQ has its blocking connections from here. They are known, because it waits for ever for the end of one that
    // is not connected; and they begin at once, because it gives up one whose first attempt it has to ask for.
    this.commands.duplicate = (override) =>
      this.#own(new Redis({ ...options, lazyConnect: false, ...override }));
  }

  /**
   * Resolves when commands can be given and `channels` are subscribed to; {@link Connection.listen} comes next.
   * @param signal aborting ends the attempt, and rejects with the signal's reason
   * @throws {M2fpError} `M2FP_BAD_OPTION` for a bad address, `M2FP_ENGINE_UNAVAILABLE` where Redis is not to be had there
   */
  static async open(
    address: WorkerAddress,
    times: Times,
    channels: string[],
    signal: AbortSignal,
  ): Promise<Connection> {
    const connection = new Connection(address, times);
    const tooLong = AbortSignal.timeout(times.connect);
    try {
      await raceSignal(connection.#connect(channels), AbortSignal.any([signal, tooLong]));
    } catch (error) {
      connection.end();
      signal.throwIfAborted();
      throw connection.explain(error instanceof M2fpError ? error : (connection.#lastError ?? error));
    }
    return connection;
  }

  /** From now on these are told. What came before, nobody heard: look afterwards. */
  listen(listeners: ConnectionListeners): void {
    this.#listeners = listeners;
  }

  /** Lets a reply to a command have so many bytes. */
  allow(bytes: number): void {
    this.#longestReply = Math.max(this.#longestReply, USUAL_REPLY + bytes);
  }

  /** Why there is no connection; null where there is one. */
  get lost(): RedisFailure | null {
    return this.#failure ?? this.#pulse?.silence ?? null;
  }

  /** Why there is no connection, or why Redis takes no changes; null where all is well. */
  get failure(): RedisFailure | null {
    return this.lost ?? this.#pulse?.refusal ?? null;
  }

  /** Milliseconds since there was a connection that answered; 0 while there is one. */
  get lostFor(): number {
    return this.#lostAt === null ? 0 : systemClock.now() - this.#lostAt;
  }

  /** What a failed command means, for users. */
  explain(error: unknown): M2fpError {
    return error instanceof M2fpError ? error : connectionFailure(error, this.#url);
  }

  /** What the clock of Redis says in `ms` milliseconds, or a little before that; null where that is not known. */
  redisTimeIn(ms: number): number | null {
    return this.#pulse?.clock.at(systemClock.now() + ms) ?? null;
  }

  /** Whether a command failed because Redis takes no changes at the moment. */
  refuses(error: unknown): boolean {
    return refusalOf(error, this.#url) !== null;
  }

  /** Ends all connections at once; what waits for an answer fails. */
  end(): void {
    this.#opened = false;
    this.#listeners = { onChange: ignore, onMessage: ignore };
    this.#timer?.cancel();
    this.#pulse?.stop();
    for (const { redis } of this.#all) {
      // Told to disconnect once more, ioredis would keep the process for two seconds.
      if (redis.status === 'end') continue;
      const waits = redis.status === 'reconnecting';
      redis.disconnect();
      // One without a socket would neither end nor fail what waits for it: the end of a last attempt does both.
      if (waits) redis.connect().then(() => redis.disconnect(), ignore);
    }
  }

  async #connect(channels: string[]): Promise<void> {
    await this.commands.connect();
    await this.#checkVersion();
    this.#opened = true;
    this.commands.on('close', () => this.#lost());
    this.commands.on('ready', () => this.#back());
    const subscriber = this.commands.duplicate();
    subscriber.on('message', (channel: string, message: string) =>
      this.#listeners.onMessage(channel, message),
    );
    await subscriber.subscribe(...channels);
    const subscribe = (): unknown => subscriber.subscribe(...channels).catch(ignore);
    subscriber.on('ready', subscribe);
    this.#verifySoon(subscriber, subscribe);
    const onChange = (): void => {
      if (!this.#opened) return;
      this.#noteLoss();
      this.#listeners.onChange();
    };
    const { commands } = this;
    this.#pulse = new Pulse({ commands, subscriber, key: this.#pulseKey, url: this.#url, onChange });
    await this.#pulse.start(this.#times.pulse);
  }

  /** What is wrong with a connection does not always show: it is looked for again and again. */
  #verifySoon(subscriber: Redis, subscribe: () => unknown): void {
    if (!this.#opened) return;
    this.#timer = systemClock.after(
      this.#times.verify,
      () => {
        for (const { watch } of this.#all) watch.look();
        for (const redis of [this.commands, subscriber]) {
          if (redis.status === 'ready') void checkOrder(redis, `look ${++this.#looks}`);
        }
        // Redis may have said no, or its yes was lost.
        if (subscriber.status === 'ready') subscribe();
        this.#verifySoon(subscriber, subscribe);
      },
      { background: true },
    );
  }

  async #checkVersion(): Promise<void> {
    const info: unknown = await this.commands.info('server');
    const [, text = ''] = /^redis_version:(\S{1,20})/m.exec(String(info)) ?? [];
    if (text === '') {
      throw new RedisFailure(`What answers at ${this.#url} is not Redis: it tells no version.`);
    }
    const [major = 0, minor = 0] = text.split('.').map(Number);
    const [leastMajor, leastMinor] = LEAST_VERSION;
    if (major > leastMajor || (major === leastMajor && minor >= leastMinor)) return;
    throw new RedisFailure(
      `Redis at ${this.#url} is too old: it has version ${text}, and ${LEAST_VERSION.join('.')} is needed.`,
    );
  }

  #own(redis: Redis, longestReply: () => number = () => USUAL_REPLY): Redis {
    limitReplies(redis, longestReply);
    // Without a listener, ioredis prints errors.
    redis.on('error', (error) => this.#note(error));
    this.#all.push({ redis, watch: new ReplyWatch(redis) });
    return redis;
  }

  #note(error: unknown): void {
    this.#lastError = error;
    if (this.#failure !== null) this.#lost();
  }

  #noteLoss(): void {
    this.#lostAt = this.lost === null ? null : (this.#lostAt ?? systemClock.now());
  }

  #lost(): void {
    if (!this.#opened) return;
    const failure = connectionFailure(this.#lastError, this.#url);
    if (failure.message === this.#failure?.message) return;
    this.#failure = failure;
    this.#noteLoss();
    this.#listeners.onChange();
  }

  #back(): void {
    this.#lastError = undefined;
    this.#failure = null;
    this.#noteLoss();
    this.#listeners.onChange();
  }
}

/** For errors that other events tell of, too. */
function ignore(): void {}
