/** `m2fp models`: the models in the store. */
import { M2fpError } from '../errors.ts';
import { int8Warnings } from '../m2fp/int8-origin.ts';
import { type ModelManifest, PRECISIONS } from '../m2fp/manifest.ts';
import type { ModelName } from '../store/names.ts';
import type { ModelStore, StoreEntry } from '../store/store.ts';
import { choiceOption, type Command, readArguments, type Terminal } from './command.ts';
import { type Fact, int8Facts, kindAndLabels, table } from './describe.ts';
import { interruptible } from './interrupt.ts';
import { megabytes, ProgressBar } from './progress.ts';
import { didYouMean } from './similar.ts';
import {
  chooseModel,
  DEFAULT_STORE,
  label,
  STORE_OPTIONS,
  storeHelp,
  storeOption,
  totalSize,
} from './stores.ts';

/** Characters of a digest that tell models apart. */
const SHORT_DIGEST = 12;

export const models: Command = {
  name: 'models',
  summary: 'list, verify and remove the models in the store',
  help: `Usage: m2fp models [--json] [options]
       m2fp models verify ID [options]
       m2fp models remove ID [options]

Lists the models in the store: id, revision, precision, kind, labels, size on disk, digest, and their state. The
state tells whether the files are there with their right sizes; "verify" reads them and compares their digests.
"remove" removes the model, and what was downloaded for it.

Options:
  --store DIR         where models are kept (default: ${DEFAULT_STORE})
${storeHelp(22)}
  --json              print the list as JSON
  --revision NAME     the one to verify or remove, where the store has several of that id
  --precision NAME    the same: fp32, fp16 or int8
  --help              show this text
`,
  run,
};

async function run(args: string[], terminal: Terminal): Promise<void> {
  const [action, ...rest] = args;
  if (action === 'verify') return verify(rest, terminal);
  if (action === 'remove') return remove(rest, terminal);
  if (action !== undefined && !action.startsWith('-')) {
    const guess = didYouMean(action, ['verify', 'remove']);
    if (guess !== '')
      throw new M2fpError('M2FP_BAD_OPTION', `There is no "${action}"${guess} (see m2fp models --help)`);
  }
  const { options, flags } = readArguments(models, args, {
    takes: [],
    options: STORE_OPTIONS,
    flags: ['json'],
  });
  const store = storeOption(options);
  const entries = await store.list();
  if (flags.json) terminal.out.write(`${JSON.stringify(entries.map(plain), undefined, 2)}\n`);
  else if (entries.length > 0) terminal.out.write(listing(entries));
  else terminal.err.write(`There is no model in ${store.root}: "m2fp pull ID" puts one there.\n`);
}

/** An entry as JSON shows it; the keys are for good. */
function plain({ id, revision, precision, folder, size, manifest, problem }: StoreEntry) {
  return {
    id,
    revision,
    precision,
    kind: manifest?.kind ?? null,
    labels: manifest?.labels ?? null,
    size,
    digest: manifest?.digest ?? null,
    state: problem === null ? 'ok' : 'damaged',
    problem: problem?.message ?? null,
    int8: manifest?.int8 ?? null,
    warnings: warningsOf(manifest),
    folder,
  };
}

/** What is wrong with its weights, and where it is far from the model that it was made of. */
function warningsOf(manifest: ModelManifest | null): string[] {
  if (manifest === null) return [];
  return [...(manifest.warnings ?? []), ...(manifest.int8 ? int8Warnings(manifest.int8) : [])];
}

function listing(entries: StoreEntry[]): string {
  const blocks = entries.map(({ id, revision, precision, size, manifest, problem }) => {
    const facts: Fact[] = [
      ['revision', revision],
      ['precision', precision],
      ...(manifest === null ? [] : kindAndLabels(manifest)),
      ['size', megabytes(size)],
      ...(manifest === null ? [] : [['digest', manifest.digest.slice(0, SHORT_DIGEST)] as const]),
      ...int8Facts(manifest?.int8),
      ['state', problem === null ? 'ok' : `damaged: ${problem.message}`],
      ...warningsOf(manifest).map((warning) => ['warning', warning] as const),
    ];
    return `${id}\n${table(facts, '  ')}`;
  });
  const [count, size] = [entries.length, megabytes(totalSize(entries))];
  return `${blocks.join('\n')}\n${count === 1 ? '1 model' : `${count} models`}, ${size}\n`;
}

async function verify(args: string[], { out, err }: Terminal): Promise<void> {
  const { store, name } = await nameOf(args);
  const found = await store.find(name.id, name.revision, name.precision);
  const total = Object.values(found?.manifest.files ?? {}).reduce((sum, { size }) => sum + size, 0);
  const bar = new ProgressBar(err);
  const { manifest } = await interruptible(
    (signal) =>
      store.verify(name.id, name.revision, name.precision, {
        signal,
        onProgress: (bytes) => bar.show('Checking', bytes / total),
      }),
    'Nothing was changed',
  ).finally(() => bar.close());
  out.write(`${label(name)} is intact, digest ${manifest.digest.slice(0, SHORT_DIGEST)}\n`);
}

async function remove(args: string[], { out }: Terminal): Promise<void> {
  const { store, name } = await nameOf(args);
  const sizes = (await store.list()).filter((entry) => label(entry) === label(name));
  await store.remove(name.id, name.revision, name.precision);
  out.write(`Removed ${label(name)}, ${megabytes(totalSize(sizes))}\n`);
}

async function nameOf(args: string[]): Promise<{ store: ModelStore; name: ModelName }> {
  const {
    arguments: [id = ''],
    options,
  } = readArguments(models, args, { takes: ['ID'], options: [...STORE_OPTIONS, 'revision', 'precision'] });
  const store = storeOption(options);
  const precision = choiceOption('precision', options.precision, PRECISIONS);
  return { store, name: await chooseModel(store, { id, revision: options.revision, precision }) };
}
