/** `m2fp pull`: a published model becomes a model in the store. */
import { MULTI_HUMAN_ID, SINGLE_HUMAN_ID } from '../m2fp/published.ts';
import { PRECISIONS } from '../m2fp/manifest.ts';
import { pullInt8 } from '../quantize/int8-model.ts';
import { MODELSCOPE } from '../store/modelscope.ts';
import { pullModel, type PulledModel, type PullOptions } from '../store/pull.ts';
import type { Retry } from '../store/retry.ts';
import type { PullProgress } from '../store/store.ts';
import { choiceOption, type Command, picturesOption, readArguments, type Terminal } from './command.ts';
import { modelFacts, originFacts, table } from './describe.ts';
import { interruptible } from './interrupt.ts';
import { megabytes, ProgressBar } from './progress.ts';
import { DEFAULT_STORE, STORE_OPTIONS, storeHelp, storeOption } from './stores.ts';

const OPTIONS = ['revision', ...STORE_OPTIONS, 'precision', 'pictures', 'base-url'] as const;

export const pull: Command = {
  name: 'pull',
  summary: 'download a published model and convert it',
  help: `Usage: m2fp pull ID [options]

Downloads the model ID from ModelScope, checks it, converts it and puts it into the model store. A model that is
in the store already is not downloaded again. After a broken connection or Ctrl+C the same command goes on where
it stopped.

ID is for example ${MULTI_HUMAN_ID} (several people)
or ${SINGLE_HUMAN_ID} (one person). Their older names, damo/..., mean the same models.
How much there is to download, the server tells: the published checkpoints hold the trainer's state beside the weights and
are about three times as large as the model that they become. They are removed after the conversion.

Options:
  --revision NAME     a branch, tag or commit, for example v1.0.1 (default: master)
  --store DIR         where models are kept (default: ${DEFAULT_STORE})
${storeHelp(22)}
  --precision NAME    how the weights are stored: fp32 (default) or fp16 (half the size); or int8: the fp32 model is pulled
                      and made int8, see "m2fp quantize --help"
  --pictures FOLDER   for int8: 32 or more pictures like those that the model will see, in this folder, not in those
                      below it (default: drawn scenes)
  --base-url URL      the server (default: ${MODELSCOPE}); also a mirror in your own network
  --verify            read a model that is there and compare its digests; a damaged one is downloaded and made again
  --keep-checkpoint   keep the downloaded checkpoint, below .checkpoints in the store, until the model is removed
  --help              show this text

The default store lies in Node-RED's user folder, so that Node-RED finds the model under the same id. Where settings.js
names another one (m2fpModelStore), give that one with --store.
A proxy is taken from the environment (http_proxy, https_proxy, no_proxy).
`,
  run,
};

async function run(args: string[], { out, err }: Terminal): Promise<void> {
  const {
    arguments: [id = ''],
    options,
    flags,
  } = readArguments(pull, args, { takes: ['ID'], options: OPTIONS, flags: ['verify', 'keep-checkpoint'] });
  const store = storeOption(options);
  const precision = choiceOption('precision', options.precision, PRECISIONS);
  const pictures = picturesOption(options.pictures, precision);
  const bar = new ProgressBar(err);
  const { manifest, folder, warnings, origins, made, checkpoint } = await interruptible(
    (signal) =>
      pullAny({
        id,
        root: store.root,
        pictures,
        ...(options.revision !== undefined && { revision: options.revision }),
        ...(options['base-url'] !== undefined && { baseUrl: options['base-url'] }),
        ...(precision !== undefined && { precision }),
        ...(flags.verify && { verify: true }),
        ...(flags['keep-checkpoint'] && { keepCheckpoint: true }),
        signal,
        onProgress: (progress) => showPull(bar, progress),
      }),
    'What was downloaded is kept: the same command goes on from there',
  ).finally(() => bar.close());
  for (const warning of warnings) err.write(`m2fp: warning: ${warning}\n`);
  if (!made) err.write(`The model was in the store already${flags.verify ? ', and is intact' : ''}.\n`);
  if (checkpoint !== undefined) err.write(`The checkpoint was kept in ${checkpoint}\n`);
  const told = origins === null ? '' : `\n${table(originFacts(origins, manifest))}`;
  out.write(`${table(modelFacts(manifest, folder))}${told}`);
}

/** Also an int8 model, which is made of the one that is pulled. */
function pullAny({
  pictures,
  ...options
}: PullOptions & { pictures: string | undefined }): Promise<PulledModel> {
  return options.precision === 'int8' ? pullInt8(options, { ...options, pictures }) : pullModel(options);
}

/** How long the rest will take at the present speed. */
function timeLeft(total: number | null, received: number, bytesPerSecond: number | null): string[] {
  if (total === null || !bytesPerSecond || received >= total) return [];
  const seconds = Math.ceil((total - received) / bytesPerSecond);
  return [seconds < 100 ? `${seconds} s left` : `${Math.round(seconds / 60)} min left`];
}

/** "the server answered 503; trying again in 4 s (2 of 5)". */
function retryText({ status, seconds, attempt, attempts }: Retry): string {
  const reason = status === null ? 'the connection failed' : `the server answered ${status}`;
  return `${reason}; trying again in ${seconds} s (${attempt} of ${attempts})`;
}

/** Shows how far a pull is. */
export function showPull(
  bar: ProgressBar,
  { phase, file, received, total, share, bytesPerSecond, retry }: PullProgress,
): void {
  // Until the first byte nobody knows the total.
  const part = share ?? (received === 0 ? 0 : null);
  const notes = [
    ...(share === null && received > 0 ? [megabytes(received)] : []),
    ...(total === null ? [] : [`of ${megabytes(total)}`]),
    ...(bytesPerSecond === null ? [] : [`${(bytesPerSecond / 1e6).toFixed(1)} MB/s`]),
    ...timeLeft(total, received, bytesPerSecond),
  ];
  switch (phase) {
    case 'wait':
      bar.show('Waiting for another process that makes this model', null);
      break;
    case 'list':
      if (retry) bar.pause('Asking for the list of files', null, retryText(retry));
      else bar.show('Asking for the list of files', null);
      break;
    case 'download':
      if (retry) bar.pause('Downloading', share, retryText(retry));
      else bar.show('Downloading', part, notes.join(', '));
      break;
    case 'verify':
      // Of the configuration, a few kilobytes, there is nothing to see.
      if (file !== 'configuration.json') bar.show('Checking', part);
      break;
    case 'convert':
      bar.show('Converting', part);
      break;
    case 'quantize':
      bar.show('Making it int8', part);
  }
}
