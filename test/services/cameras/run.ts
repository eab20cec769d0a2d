/** Four cameras on one Node-RED for some time, and whether what it tells over MQTT is what the cameras showed. */
import { createHash } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { MqttClient } from 'mqtt';
import { type RunningWorker, startWorker } from '../../../src/engine/remote/worker/worker.ts';
import type { Parsing } from '../../../src/parsing/types.ts';
import { bundledModelFolder } from '../../../src/paths.ts';
import type { CameraServer } from '../../camera/support/camera-server.ts';
import { freePort, NodeRed } from '../../support/node-red.ts';
import { childrenOf } from '../../support/processes.ts';
import { Mosquitto } from '../support/mosquitto.ts';
import { PlayedEngine } from '../support/played-engine.ts';
import { Random } from '../support/random.ts';
import { RedisServer } from '../support/redis.ts';
import { Film, NOBODY, type Pass, SEQUENCES, showFilms, STEP } from './films.ts';
import { camerasFlow, FILM_START } from './flow.ts';
import { Gauge } from './memory.ts';
import { type Counts, count, differences, truthOf } from './truth.ts';
import { listen, type Told } from './watch.ts';

/** A worker that knows the truth of every picture: all counts must be right. The bundled model: as right as its masks. */
export const MODELS = ['truth', 'bundled'] as const;
export type Model = (typeof MODELS)[number];

export interface Plan {
  model: Model;
  /** So long do sequences begin. */
  minutes: number;
  /** The same seed shows the same sequences in the same order. */
  seed: number;
}

export interface Report {
  wrong: string[];
  /** For people. */
  lines: string[];
}

/** A sequence that a camera has shown, and what was told of it. */
interface Shown {
  truth: Counts;
  frames: number;
  /** Frames of which nothing was told. */
  lost: number;
  /** Where the counts are not those of the truth, in words; empty where they are. */
  fault: string;
}

const CAMERAS = ['door', 'yard', 'hall', 'stairs'];
/** Milliseconds between two looks at memory. */
const LOOK = 60_000;

export class Run {
  readonly #plan: Plan;
  readonly #log: (line: string) => void;
  readonly #films: Map<string, Film>;
  readonly #endings: (() => unknown)[] = [];
  #nodeRed!: NodeRed;
  #told!: Map<string, Told>;
  #gauges!: Gauge[];
  #began = 0;

  private constructor(plan: Plan, log: (line: string) => void) {
    this.#plan = plan;
    this.#log = log;
    const random = new Random(plan.seed);
    this.#films = new Map(CAMERAS.map((name) => [name, new Film(new Random(random.below(2 ** 32)))]));
  }

  /** Resolves when the flow runs; {@link finish} ends it. */
  static async start(plan: Plan, log: (line: string) => void = () => {}): Promise<Run> {
    const run = new Run(plan, log);
    try {
      await run.#start();
      return run;
    } catch (error) {
      await run.finish();
      throw error;
    }
  }

  async #start(): Promise<void> {
    const broker = await freePort();
    const mosquitto = await Mosquitto.start(broker);
    this.#endings.push(() => mosquitto.stop());
    const server: CameraServer = await showFilms(this.#films);
    this.#endings.push(() => server.stop());
    const { client, told }: { client: MqttClient; told: Map<string, Told> } = await listen(broker, CAMERAS);
    this.#told = told;
    this.#endings.push(() => client.endAsync());
    const everyFrame = this.#plan.model === 'truth';
    // One thread, so that the cameras have a core, too.
    const model = everyFrame ? await this.#startTruth() : { threads: 1 };
    const addresses = new Map(CAMERAS.map((name) => [name, server.url(`/${name}`)]));
    this.#nodeRed = await NodeRed.start('node-red', camerasFlow({ addresses, broker, model, everyFrame }));
    this.#endings.push(() => this.#nodeRed.stop());
    const pid = this.#nodeRed.child.pid!;
    this.#gauges = [
      new Gauge('Node-RED', () => pid),
      ...(this.#plan.model === 'bundled' ? [new Gauge('engine', () => childrenOf(pid)[0])] : []),
    ];
  }

  /** A worker in this process whose engine knows every picture. @returns the fields of the model's node */
  async #startTruth(): Promise<object> {
    const redis = await RedisServer.start();
    this.#endings.push(() => redis.stop());
    const known = new Map(
      [NOBODY, ...SEQUENCES.flatMap(({ frames }) => frames)].map(({ parsing }) => [
        digestOf(parsing.image),
        parsing,
      ]),
    );
    const engine = new PlayedEngine();
    engine.answerAll(({ image }): Parsing | undefined =>
      Buffer.isBuffer(image) ? known.get(digestOf(image)) : undefined,
    );
    const { address } = redis;
    const worker: RunningWorker = await startWorker(
      { address, engine: { model: bundledModelFolder() }, log: () => {} },
      { acquire: () => Promise.resolve({ engine, release: () => {} }) },
    );
    this.#endings.push(() => worker.close());
    return { source: 'remote', redis: address.url, queue: address.queue };
  }

  /** Shows the films to their end; resolves to what came of them. */
  async play(): Promise<Report> {
    this.#began = Date.now();
    const until = this.#began + this.#plan.minutes * 60_000;
    const over = new AbortController();
    const watching = this.#watchMemory(over.signal);
    await Promise.all(
      [...this.#films].map(([name, film]) => {
        const told = this.#told.get(name)!;
        return film.play(until, async (frames) => {
          if (this.#plan.model === 'truth') await told.parsed(frames);
        });
      }),
    );
    over.abort();
    await watching;
    return this.#report();
  }

  async #watchMemory(over: AbortSignal): Promise<void> {
    for (;;) {
      await sleep(LOOK, undefined, { signal: over }).catch(() => {});
      if (over.aborted) return;
      // Where it has ended, the report says so.
      await this.#nodeRed.collectGarbage().catch((error: unknown) => this.#log(String(error)));
      for (const gauge of this.#gauges) gauge.sample();
      this.#log(this.#progress());
    }
  }

  #progress(): string {
    const minutes = (Date.now() - this.#began) / 60_000;
    const all = [...this.#told.values()];
    const sum = (topic: string): number =>
      all.reduce((total, { messages }) => total + (messages[topic] ?? 0), 0);
    const shown = [...this.#films.keys()].flatMap((name) => this.#shown(name));
    return [
      `${minutes.toFixed(0)} min: ${(sum('state') / minutes / 60).toFixed(1)} frames/s`,
      `${sum('dropped')} dropped`,
      `${sum('event')} events`,
      `${shown.filter(({ fault }) => fault === '').length} of ${shown.length} sequences counted right`,
      ...this.#gauges.map(({ text }) => text),
    ].join('; ');
  }

  /** What a camera has shown, each sequence with what was told of it. */
  #shown(name: string, isOver = false): Shown[] {
    const { passes } = this.#films.get(name)!;
    const told = this.#told.get(name)!;
    return (isOver ? passes : passes.slice(0, -1)).map((pass, index): Shown => {
      const [from, until] = this.#timesOf(pass);
      const found = differences(told.counts(from, until), truthOf(pass.sequence));
      return {
        truth: truthOf(pass.sequence),
        frames: pass.frames,
        lost: pass.frames - told.frames(from, until),
        fault:
          found.length === 0
            ? ''
            : `${name}, sequence ${index + 1} (${pass.sequence.name}): ${found.join(', ')}`,
      };
    });
  }

  /** From when until when the frames of a sequence were taken, as messages have it. */
  #timesOf({ began, duration, first, frames }: Pass): [number, number] {
    if (this.#plan.model === 'bundled') return [began, began + duration + STEP / 2];
    const start = FILM_START + (first + 1) * STEP;
    return [start, start + frames * STEP];
  }

  #report(): Report {
    const { model, minutes, seed } = this.#plan;
    const wrong: string[] = [];
    const lines = [`${model}, seed ${seed}: ${this.#progress()}`];
    for (const name of this.#films.keys()) {
      const told = this.#told.get(name)!;
      const shown = this.#shown(name, true);
      lines.push(cameraLine(name, told, shown));
      wrong.push(
        ...Object.entries(told.trouble).map(([words, times]) => `${name}: ${words}, ${times} times`),
      );
      if (told.state === undefined) wrong.push(`${name}: nothing was told`);
      if (model === 'bundled') continue;
      wrong.push(...stateFaults(told).map((fault) => `${name}, at the end: ${fault}`));
      wrong.push(...shown.flatMap(({ fault }) => (fault === '' ? [] : [fault])));
      const lost = shown.reduce((sum, pass) => sum + pass.lost, 0);
      if (lost > 0) wrong.push(`${name}: nothing was told of ${lost} frames`);
    }
    const { child, log } = this.#nodeRed;
    if (child.exitCode !== null || child.signalCode !== null) wrong.push('Node-RED has ended');
    for (const [line] of log.matchAll(/.*(?:unhandled|uncaught|TypeError|\[error\]).*/gi))
      wrong.push(`In the log: ${line}`);
    for (const gauge of this.#gauges) wrong.push(...gauge.grown(minutes));
    return { wrong, lines };
  }

  /** Ends what was started, the last first. */
  async finish(): Promise<void> {
    for (const end of this.#endings.splice(0).toReversed()) await end();
  }
}

/** For people. */
function cameraLine(name: string, told: Told, shown: readonly Shown[]): string {
  const truth: Counts = {};
  for (const { truth: counts } of shown)
    for (const [what, times] of Object.entries(counts)) count(truth, what, times);
  const all = told.counts(0, Infinity);
  const counted = Object.keys(truth)
    .toSorted()
    .map((what) => `${what} ${all[what] ?? 0} of ${truth[what]}`);
  const frames = shown.reduce((sum, pass) => sum + pass.frames, 0);
  const lost = shown.reduce((sum, pass) => sum + pass.lost, 0);
  return (
    `${name}: ${shown.length} sequences, ${shown.filter(({ fault }) => fault === '').length} of them counted right; ` +
    `${frames - lost} of ${frames} frames parsed; ${counted.join(', ')}; ${told.described} of ${told.persons} persons described`
  );
}

/** What the newest state says, against all events: nobody is there any more. */
function stateFaults(told: Told): string[] {
  if (told.state === undefined) return [];
  const { zones, lines, count: there } = told.state;
  const counts: Counts = {};
  for (const [zone, { inside, entered, left }] of Object.entries(zones)) {
    count(counts, `enter ${zone}`, entered);
    count(counts, `leave ${zone}`, left);
    count(counts, `inside ${zone}`, inside);
  }
  for (const [line, crossed] of Object.entries(lines)) {
    count(counts, `cross ${line} in`, crossed.in);
    count(counts, `cross ${line} out`, crossed.out);
  }
  count(counts, 'there', there);
  const { new: _new, gone: _gone, ...places } = told.counts(0, Infinity);
  return differences(counts, places);
}

function digestOf(image: Buffer): string {
  return createHash('sha1').update(image).digest('hex');
}
