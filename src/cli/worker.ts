/** `m2fp worker`: parses the pictures of Node-REDs on other machines. */
import { shutdownEngines } from '../engine/index.ts';
import { MAX_MEBIBYTES, MAX_TIMEOUT, PROCESS_OPTIONS } from '../engine/options.ts';
import type { RunningWorker, WorkerOptions } from '../engine/remote/worker/worker.ts';
import { M2fpError } from '../errors.ts';
import { PRECISIONS } from '../m2fp/manifest.ts';
import { MODELSCOPE } from '../store/modelscope.ts';
import {
  choiceOption,
  type Command,
  LIMIT_OPTIONS,
  limitOptions,
  numberOption,
  rangeOf,
  readArguments,
  type Terminal,
} from './command.ts';
import { EXIT_CODES, interruptible, SIGNALS } from './interrupt.ts';
import { ProgressBar } from './progress.ts';
import { showPull } from './pull.ts';
import { addressOf, DEFAULT_QUEUE, DEFAULT_REDIS } from './redis.ts';
import { WorkerHealth } from './worker-health.ts';
import { BUNDLED, chooseModel, DEFAULT_STORE, folderOfModel, storeHelp, storeOption } from './stores.ts';

const OPTIONS = [
  'redis',
  'queue',
  'password-file',
  'model',
  'store',
  'user-dir',
  'precision',
  'base-url',
  'processes',
  'threads',
  'timeout',
  'max-memory',
  'listen',
  ...LIMIT_OPTIONS,
] as const;

type Options = Partial<Record<(typeof OPTIONS)[number], string>>;

export const worker: Command = {
  name: 'worker',
  summary: 'parse the pictures of Node-REDs on other machines',
  help: `Usage: m2fp worker [options]

Parses the pictures that Node-REDs on other machines put into a queue on Redis; their model node says "workers on
other machines". Start as many workers as you like, on as many machines: they share the work. All workers of a queue
have the same model. Runs until Ctrl+C or a service manager's stop, and finishes the pictures that it works on; a
second Ctrl+C ends it at once.

Options:
  --redis URL           Redis (6.2 or newer): redis://HOST:PORT, rediss://HOST:PORT with TLS, either with /N for the
                        database N (default: ${DEFAULT_REDIS})
  --queue NAME          the queue to work on (default: ${DEFAULT_QUEUE})
  --password-file FILE  holds the password of Redis
  --model MODEL         the id of a published model, which is pulled where it is not in the store; a folder that
                        "m2fp convert" made; a checkpoint, which is converted once; or ${BUNDLED} (default), the small
                        model that ships with the package
  --store DIR           where models are kept (default: ${DEFAULT_STORE})
${storeHelp(24)}
  --precision NAME      how its weights are stored: fp32 (default), fp16 (half the size), or int8, which
                        "m2fp quantize" has made
  --base-url URL        where models are pulled from (default: ${MODELSCOPE})
  --processes N         pictures that are parsed at the same time, each in a process with the model in memory
                        (default: 1; 0: as many as cores and memory allow)
  --threads N           threads of each process (default: 0, all cores, shared out among the processes)
  --timeout SECONDS     what one picture may take (default: 60; 0: no limit)
  --max-memory MIB      what memory one process may take; 0: no limit (default: what that of the machine, or of the
                        container, allows)
  --max-megapixels N    millions of pixels that a picture may have (default: 64)
  --max-image-size MIB  what an encoded picture may have (default: 32)
  --listen [HOST:]PORT  answers GET /live (200 while it runs), /ready (200 or 503), /health (why) and /metrics
                        (Prometheus) there, without HOST only on this machine (default: nowhere)
  --help                show this text

The password may also be in the environment variable M2FP_REDIS_PASSWORD, a user name in M2FP_REDIS_USERNAME. It is no
option and no part of the URL, since everybody on the machine can read those. For a certificate of an authority of your
own, NODE_EXTRA_CA_CERTS names the file with it.
`,
  run,
};

async function run(args: string[], { err }: Terminal): Promise<void> {
  const { options } = readArguments(worker, args, { takes: [], options: OPTIONS });
  const engine = engineOptions(options);
  const address = await addressOf('worker', options);
  const log = (line: string) => void err.write(`m2fp: ${line}\n`);
  const health = await WorkerHealth.open(options.listen, options.model ?? BUNDLED, log);
  try {
    const model = await modelFolder(options, err);
    health?.loading();
    await serve({ address, engine: { ...engine, model }, log }, health);
  } finally {
    await shutdownEngines();
    health?.close();
  }
}

/** Resolves when the worker was told to stop, and has. */
async function serve(options: WorkerOptions, health: WorkerHealth | null): Promise<void> {
  // BullMQ and ioredis come with it, and no other command needs them.
  const { startWorker } = await import('../engine/remote/worker/worker.ts');
  const { address, log } = options;
  const running = await startWorker(options);
  health?.serving(running);
  const stop = (signal: NodeJS.Signals) => {
    stopListening();
    for (const again of SIGNALS) process.once(again, leaveAtOnce);
    log(`${signal}: taking no more pictures.`);
    void running.close();
  };
  const stopListening = () => {
    for (const signal of SIGNALS) process.off(signal, stop);
  };
  for (const signal of SIGNALS) process.on(signal, stop);
  log(`${servingLine(running)} in the queue ${address.queue} of ${address.url}.`);
  try {
    await running.ended;
    log('Stopped.');
  } finally {
    stopListening();
  }
}

function leaveAtOnce(signal: NodeJS.Signals): void {
  process.exit(EXIT_CODES[signal as keyof typeof EXIT_CODES]);
}

function servingLine({ facts }: RunningWorker): string {
  const { manifest, slots, threads, provider } = facts;
  const processes = slots === 1 ? '1 process' : `${slots} processes`;
  const each = threads === 1 ? '1 thread' : `${threads} threads`;
  return (
    `Serving ${manifest.id} (${manifest.precision}, digest ${manifest.digest.slice(0, 12)}) ` +
    `with ${processes} of ${each} (${provider})`
  );
}

function engineOptions(options: Options) {
  const { processes, threads } = PROCESS_OPTIONS;
  const timeout = numberOption('timeout', options.timeout, { min: 0, max: Math.floor(MAX_TIMEOUT / 1000) });
  return {
    processes: numberOption('processes', options.processes, rangeOf(processes)),
    threads: numberOption('threads', options.threads, rangeOf(threads)),
    timeout: timeout === undefined ? undefined : Math.ceil(timeout * 1000),
    maxMemory: numberOption('max-memory', options['max-memory'], {
      min: 0,
      max: MAX_MEBIBYTES,
      isWhole: true,
    }),
    ...limitOptions(options),
  };
}

/** The folder of the model, which is pulled where it is a published one that is not there yet. */
async function modelFolder(options: Options, err: NodeJS.WriteStream): Promise<string> {
  const { model = BUNDLED, 'base-url': baseUrl } = options;
  const precision = choiceOption('precision', options.precision, PRECISIONS);
  const store = storeOption(options);
  const bar = new ProgressBar(err);
  try {
    return await folderOfModel(model, store, bar, precision);
  } catch (error) {
    if (!(error instanceof M2fpError) || error.code !== 'M2FP_MODEL_NOT_FOUND') throw error;
  }
  const name = await chooseModel(store, { id: model, precision });
  const { folder, warnings } = await interruptible(
    (signal) =>
      store.pull({
        ...name,
        ...(baseUrl !== undefined && { baseUrl }),
        signal,
        onProgress: (progress) => showPull(bar, progress),
      }),
    'What was downloaded is kept: the same command goes on from there',
  ).finally(() => bar.close());
  for (const warning of warnings) err.write(`m2fp: warning: ${warning}\n`);
  return folder;
}
