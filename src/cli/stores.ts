/** The model store that the commands use, and finding a model in it by what the user calls it. */
import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { M2fpError } from '../errors.ts';
import type { Precision } from '../m2fp/manifest.ts';
import { namesOf } from '../m2fp/published.ts';
import { bundledModelFolder } from '../paths.ts';
import { convertLocal, type LocalCheckpoint, localCheckpoint } from '../store/local.ts';
import { isModelId } from '../store/model-id.ts';
import type { ModelName } from '../store/names.ts';
import { type ModelStore, openStore, type PullProgress, type StoreEntry } from '../store/store.ts';
import { interruptible } from './interrupt.ts';
import type { ProgressBar } from './progress.ts';
import { findUserFolder } from './user-folder.ts';

/** The default store as help texts name it. */
export const DEFAULT_STORE = 'in the user folder, mostly ~/.node-red/m2fp/models';

/** What the model that ships with the package is called wherever a model is named: its id does, too. */
export const BUNDLED = 'bundled';
const BUNDLED_NAMES: readonly string[] = [BUNDLED, 'm2fp-demo'];

/** The options that say where models are, and their lines of a help text whose second column begins at `column`. */
export const STORE_OPTIONS = ['store', 'user-dir'] as const;
export function storeHelp(column: number): string {
  const lines: [string, string][] = [
    [
      '  --user-dir DIR',
      "Node-RED's user folder (default: the current folder where it is one, else /data, as in",
    ],
    ['', "Node-RED's Docker image, where it is one, else ~/.node-red)"],
  ];
  return lines.map(([option, text]) => option.padEnd(column) + text).join('\n');
}

/** What `--store` names; by default the store in Node-RED's user folder. */
export function storeOption({ store, 'user-dir': userDir }: StoreChoice): ModelStore {
  return openStore(store ?? join(findUserFolder(userDir).path, 'm2fp', 'models'));
}

export type StoreChoice = Partial<Record<(typeof STORE_OPTIONS)[number], string>>;

/** What the user said of a model; the rest is looked up. */
export interface Wanted {
  id: string;
  revision?: string | undefined;
  precision?: Precision | undefined;
}

/**
 * The full name of the model that is meant: the only one that fits, else the one that a pull makes with the same
 * words.
 * @param hint how one of several is said
 * @throws M2fpError M2FP_BAD_OPTION where several fit and none of them is that one
 */
export async function chooseModel(
  store: ModelStore,
  wanted: Wanted,
  hint = 'Say --revision and --precision, or give the folder',
): Promise<ModelName> {
  const { id, revision, precision } = wanted;
  const fitting = (await store.list()).filter(
    (entry) =>
      namesOf(entry.id)[0] === namesOf(id)[0] &&
      (revision ?? entry.revision) === entry.revision &&
      (precision ?? entry.precision) === entry.precision,
  );
  const usual: ModelName = { id, revision: revision ?? 'master', precision: precision ?? 'fp32' };
  const [only, ...more] = fitting;
  if (only !== undefined && more.length === 0) return only;
  if (fitting.length === 0 || fitting.some((entry) => label(entry) === label(usual))) return usual;
  throw new M2fpError('M2FP_BAD_OPTION', `Which one of ${fitting.map(label).join(', ')}? ${hint}`);
}

/** A model's full name in words. */
export function label({ id, revision, precision }: ModelName): string {
  return `${id} (${revision}, ${precision})`;
}

/**
 * The folder of a model that is given as a folder, as a checkpoint, by its id in the store, or as {@link BUNDLED}. A
 * checkpoint is converted into the store, once; `bar` shows it.
 * @param wanted the precision, where the user said one
 * @param hint how one of several is said
 * @throws M2fpError M2FP_MODEL_NOT_FOUND, M2FP_MODEL_INVALID, M2FP_BAD_OPTION; what `convertLocal` throws
 */
export async function folderOfModel(
  model: string,
  store: ModelStore,
  bar: ProgressBar,
  wanted?: Precision,
  hint = 'Give the folder',
): Promise<string> {
  if (BUNDLED_NAMES.includes(model)) return bundledModelFolder();
  const isThere = await stat(model).then(
    () => true,
    () => false,
  );
  const checkpoint = isThere ? await localCheckpoint(model, store.root, { precision: wanted }) : undefined;
  if (checkpoint !== undefined) return convertOnce(checkpoint, bar);
  // What cannot be an id is a folder: the engine says that it is not there.
  if (isThere || !isModelId(model)) return model;
  const { revision, precision } = await chooseModel(store, { id: model, precision: wanted }, hint);
  const found = await store.find(model, revision, precision);
  if (found !== undefined) return found.folder;
  throw new M2fpError(
    'M2FP_MODEL_NOT_FOUND',
    `${model} is no folder, and no model in ${store.root}: run "m2fp pull ${model}" first`,
  );
}

async function convertOnce(checkpoint: LocalCheckpoint, bar: ProgressBar): Promise<string> {
  const onProgress = ({ phase, share }: PullProgress): void =>
    bar.show(phase === 'wait' ? 'Waiting for another process that converts it' : 'Converting', share);
  const { folder } = await interruptible(
    (signal) => convertLocal(checkpoint, { signal, onProgress }),
    'Nothing was kept of the conversion',
  ).finally(() => bar.close());
  return folder;
}

/** Bytes of all models. */
export const totalSize = (entries: readonly StoreEntry[]): number =>
  entries.reduce((sum, { size }) => sum + size, 0);
