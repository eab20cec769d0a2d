/** The engine that the commands for many pictures use: processes here, or workers on other machines. */
import { acquireEngine, acquireRemoteEngine, type Engine } from '../engine/index.ts';
import { PROCESS_OPTIONS } from '../engine/options.ts';
import {
  type LIMIT_OPTIONS,
  limitOptions,
  numberOption,
  rangeOf,
  refuseOptions,
  type Terminal,
} from './command.ts';
import type { ImageLimits } from '../image/types.ts';
import { ProgressBar } from './progress.ts';
import { addressOf, DEFAULT_QUEUE } from './redis.ts';
import { BUNDLED, folderOfModel, STORE_OPTIONS, storeOption } from './stores.ts';

export const ENGINE_OPTIONS = ['model', 'processes', 'redis', 'queue', 'password-file'] as const;

type Options = Partial<
  Record<
    (typeof ENGINE_OPTIONS)[number] | (typeof STORE_OPTIONS)[number] | (typeof LIMIT_OPTIONS)[number],
    string
  >
>;

/** Pictures that may wait: whoever asks keeps only some under way. */
const MOST_WAITING = 10_000;

/** The lines of a help text, behind those of the model. */
export const ENGINE_HELP = `  --processes N       pictures that are parsed at the same time, each in a process with the model in memory (default: 1;
                      0: as many as cores and memory allow)
  --redis URL         let workers on other machines parse ("m2fp worker"): redis://HOST:PORT; the model is theirs
  --queue NAME        the queue that they work on (default: ${DEFAULT_QUEUE})
  --password-file FILE  holds the password of Redis, which may also be in M2FP_REDIS_PASSWORD
`;

/** Which engine it is to be. */
export interface EngineChoice {
  options: Options;
  limits: Partial<ImageLimits>;
  processes: number | undefined;
}

/**
 * What was typed of the engine, before anything is begun.
 * @throws M2fpError M2FP_BAD_OPTION
 */
export function engineChoice(options: Options): EngineChoice {
  if (options.redis === undefined) {
    refuseOptions(options, ['queue', 'password-file'], 'is of workers on other machines: say --redis, too');
  } else {
    refuseOptions(
      options,
      ['model', 'processes', ...STORE_OPTIONS],
      'is the workers\' own with --redis: say it to "m2fp worker"',
    );
  }
  return {
    options,
    limits: limitOptions(options),
    processes: numberOption('processes', options.processes, rangeOf(PROCESS_OPTIONS.processes)),
  };
}

/**
 * A loaded engine; `shutdownEngines` ends it.
 * @param command whose help tells of the options
 * @throws M2fpError M2FP_BAD_OPTION, and what acquiring and loading throw
 */
export async function openEngine(command: string, choice: EngineChoice, { err }: Terminal): Promise<Engine> {
  const engine =
    choice.options.redis === undefined ? await localEngine(choice, err) : await remoteEngine(command, choice);
  const { fallback } = await engine.load();
  if (fallback !== null) err.write(`m2fp: ${fallback}\n`);
  return engine;
}

async function localEngine(
  { options, limits, processes }: EngineChoice,
  err: NodeJS.WriteStream,
): Promise<Engine> {
  const model = await folderOfModel(options.model ?? BUNDLED, storeOption(options), new ProgressBar(err));
  const { engine } = await acquireEngine({ model, processes, ...limits, timeout: 0, maxQueue: MOST_WAITING });
  return engine;
}

async function remoteEngine(command: string, { options, limits }: EngineChoice): Promise<Engine> {
  const address = await addressOf(command, options);
  const { engine } = await acquireRemoteEngine({ address, ...limits, maxQueue: MOST_WAITING });
  return engine;
}

/** Where pictures wait for the engine: as long as it takes. */
export const PATIENT = { limit: MOST_WAITING } as const;

/** How many pictures should be under way: all processes busy, and the next ones read already. */
export function pipelined(engine: Engine): number {
  return 2 * Math.max(1, engine.info().processes.length) + 2;
}
