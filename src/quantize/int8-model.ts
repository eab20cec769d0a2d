/** An int8 model in the store: made once, beside the float model that it is made of. */
import { basename, resolve } from 'node:path';
import { systemClock } from '../clock.ts';
import { FLOAT_PRECISIONS, type ModelManifest } from '../m2fp/manifest.ts';
import { throwIfCancelled } from '../store/cancel.ts';
import { intactModel, ModelInstaller, type PulledModel } from '../store/install-model.ts';
import { listModels } from '../store/installed.ts';
import { convertLocal, localCheckpoint, type LocalSource } from '../store/local.ts';
import { readManifest } from '../store/manifest.ts';
import { checkName, localId, modelKey, type ModelName, storedName } from '../store/names.ts';
import type { PullProgress } from '../store/progress.ts';
import { pullModel, type PullOptions } from '../store/pull.ts';
import { SingleFlight } from '../store/single-flight.ts';
import { listPictures } from './picture-files.ts';
import { quantizeInProcess } from './quantize-process.ts';
import { checkMakable } from './makable.ts';
import type { QuantizeOptions } from './quantize.ts';

/** Characters of a digest that tell one model from another. */
const KEY_LENGTH = 16;

/** How it is made; see {@link QuantizeOptions}. */
export type Int8Choice = Pick<
  QuantizeOptions,
  'pictures' | 'parts' | 'calibration' | 'weightBits' | 'correctBias'
>;

export interface Int8Options extends Int8Choice {
  /** Whether one that the store has is made again; until the new one is whole, it stays. */
  again?: boolean;
  /** Whether one that the store has is read and compared with its digests, and made again where it differs. */
  verify?: boolean;
  signal?: AbortSignal | undefined;
  /** Phases of a download or conversion, where there is no float model yet, then `quantize`. */
  onProgress?: ((progress: PullProgress) => void) | undefined;
  /** For tests. */
  quantize?: typeof quantizeInProcess;
}

type Float = (
  signal: AbortSignal,
  notify: (progress: PullProgress) => void,
) => Promise<{
  folder: string;
  warnings: string[];
}>;

const flights = new SingleFlight<PulledModel, PullProgress>();

/**
 * The int8 model of a published one. Where the store has no float model of it, that is pulled, as fp32.
 * @throws M2fpError what `pullModel` and `quantizeModel` throw
 */
export async function pullInt8(pull: PullOptions, options: Int8Options): Promise<PulledModel> {
  const { id, revision = 'master', root, signal: _signal, onProgress: _onProgress, ...rest } = pull;
  const name = storedName(resolve(root), checkName({ id, revision, precision: 'int8' }));
  return make(resolve(root), name, options, async (signal, onProgress) => {
    for (const precision of FLOAT_PRECISIONS) {
      const found = await intactModel(root, storedName(root, { id, revision, precision }));
      if (found !== undefined) return { folder: found.folder, warnings: [] };
    }
    return pullModel({ ...rest, id, revision, root, precision: 'fp32', signal, onProgress });
  });
}

/**
 * What lies at `path`, a checkpoint or the folder of a float model, with the name that its int8 model has in the store
 * `root`. Undefined for anything else, an int8 model among them.
 */
export async function localInt8(
  path: string,
  root: string,
  choice: Pick<LocalSource, 'weights' | 'pictures'> = {},
): Promise<LocalSource | undefined> {
  const { weights, pictures } = choice;
  const shared = { root: resolve(root), precision: 'int8', ...(pictures && { pictures }) } as const;
  const checkpoint = await localCheckpoint(path, root, { weights });
  if (checkpoint !== undefined) return { ...checkpoint, ...shared };
  const source = resolve(path);
  // What is damaged, or no model at all, says so where it is used.
  const manifest = await readManifest(source).catch(() => undefined);
  if (manifest === undefined || manifest.precision === 'int8') return undefined;
  return { ...localName(source, manifest), source, ...shared };
}

/**
 * The int8 model of what lies on this machine; a checkpoint is converted to fp32 for it, once.
 * @throws M2fpError what `convertLocal` and `quantizeModel` throw
 */
export async function convertInt8(local: LocalSource, options: Int8Options): Promise<PulledModel> {
  const { root, source, weights, id, revision, precision } = local;
  const name = { id, revision, precision };
  return make(root, name, options, async (signal, onProgress) => {
    const checkpoint = await localCheckpoint(source, root, { weights });
    if (checkpoint === undefined) return { folder: source, warnings: [] };
    return convertLocal(checkpoint, { signal, onProgress });
  });
}

/**
 * The int8 model of the float model in `folder`. Where that is one of the store, it has the same id and revision.
 * @throws M2fpError M2FP_BAD_OPTION for an int8 model, and one for other engines; what `readManifest` and `quantizeModel` throw
 */
export async function int8OfFolder(folder: string, root: string, options: Int8Options): Promise<PulledModel> {
  const source = resolve(folder);
  const manifest = await readManifest(source);
  checkMakable(source, manifest);
  const stored = (await listModels(root)).find((entry) => entry.folder === source);
  const name = stored ?? localName(source, manifest);
  return make(root, { id: name.id, revision: name.revision, precision: 'int8' }, options, () =>
    Promise.resolve({ folder: source, warnings: [] }),
  );
}

/** What a float model outside of the store is called in it. */
function localName(source: string, { digest }: ModelManifest): Pick<ModelName, 'id' | 'revision'> {
  return { id: localId(basename(source)), revision: digest.slice(0, KEY_LENGTH) };
}

async function make(root: string, name: ModelName, options: Int8Options, float: Float): Promise<PulledModel> {
  const {
    again = false,
    verify = false,
    signal,
    onProgress,
    quantize = quantizeInProcess,
    ...choice
  } = options;
  throwIfCancelled(signal);
  const found = again || verify ? undefined : await intactModel(root, name);
  if (found !== undefined) return { ...found, made: false, warnings: [], origins: null };
  return flights.join(
    `${root}\n${modelKey(name)}\n${verify}`,
    (ending, notify) => {
      const code = 'M2FP_MODEL_INVALID';
      const making = new ModelInstaller({
        root,
        name,
        clock: systemClock,
        signal: ending,
        notify,
        code,
        again,
        verify,
      });
      return making.run(async () => {
        // Before a download.
        await listPictures(choice.pictures);
        const from = await float(making.signal, notify);
        making.meter.begin('quantize');
        const out = making.work.newModel();
        const { warnings } = await quantize({
          ...choice,
          model: from.folder,
          out,
          id: name.id,
          signal: making.signal,
          onProgress: (share) => making.meter.share(share),
        });
        return { folder: out, warnings: [...from.warnings, ...warnings], origins: null };
      });
    },
    { ...(signal && { signal }), ...(onProgress && { onProgress }) },
  );
}
