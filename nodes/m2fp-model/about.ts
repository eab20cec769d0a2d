/** What the form of the config node tells of a model, before and after it is deployed. */
import { raceSignal } from '../../src/async.ts';
import { ruleFor } from '../../src/engine/input-image.ts';
import { M2fpError } from '../../src/errors.ts';
import type { Int8Origin } from '../../src/m2fp/int8-origin.ts';
import type { InputRule, ModelKind, Precision } from '../../src/m2fp/manifest.ts';
import { publishedFacts } from '../../src/m2fp/published.ts';
import { type Estimate, estimate, type ModelSize } from '../../src/observe/estimate.ts';
import { memoryFacts, platformFacts } from '../../src/observe/system.ts';
import { processorFacts } from '../../src/processor.ts';
import { type NotMakable, whyNotMakable } from '../../src/quantize/makable.ts';
import { modelFolder } from '../../src/store/names.ts';
import { services } from '../common/services.ts';
import { sizeOf } from '../common/model-facts.ts';
import { type WorkerSeen, workersSeen } from '../common/workers.ts';
import { choiceOfSettings, type WantedModel } from './choice.ts';
import type { LocalSettings, ModelSettings, RemoteSettings } from './settings.ts';
import { workerTimeout } from './worker-timeout.ts';

/** What the form's values mean, without loading anything. */
export interface ModelDescription {
  id: string;
  /** Tells this model from others, of other revisions, weights and servers, too; of the deployed one, see `DeployedFacts`. */
  choice: string;
  /** Whether its files are on this machine. */
  present: boolean;
  /** Whether it is a checkpoint on this machine that has to be converted. */
  isCheckpoint: boolean;
  /** Bytes on disk; null where it is not there. */
  size: number | null;
  digest: string | null;
  /** This and the next two are null where nothing is known of a model that is not there. */
  kind: ModelKind | null;
  labels: string[] | null;
  input: InputRule | null;
  precision: Precision;
  /** Of an int8 model that is there: how it was made, and how near it is to the float one; else null. */
  int8: Int8Origin | null;
  /** Whether an int8 model that is there can be made again here. */
  isRemakable: boolean;
  /** Where the form wants an int8 model of a converted one in a folder: why none can be made of that; else null. */
  notMakable: NotMakable | null;
  /** Null for a model of workers. */
  estimate: Estimate | null;
  /** For `remote`: those that are there. */
  workers?: WorkerSeen[];
}

/** What the weights of an int8 model take of those in float32, of a full-size one. */
const INT8_SHARE = 0.45;

/** Milliseconds that the form waits for what workers tell. */
const WORKER_TIMEOUT = 6000;

/**
 * @throws {M2fpError} where the folder holds no model, or a damaged one; `M2FP_ENGINE_UNAVAILABLE` where no worker
 *   answers in time
 */
export async function descriptionOf(settings: ModelSettings): Promise<ModelDescription> {
  return settings.source === 'remote' ? remoteDescription(settings) : localDescription(settings);
}

/** What has to be downloaded or converted for these settings; undefined for other models. */
export async function wantedModel(settings: ModelSettings): Promise<WantedModel | undefined> {
  if (settings.source === 'remote') return undefined;
  const { engine, published, conversion } = settings;
  return published ?? (conversion && (await services.checkpointAt(engine.model, conversion)));
}

/**
 * For a model that is neither downloaded nor converted: says that it is ready, or what is wrong with it.
 * @throws {M2fpError} where workers do not answer in time; where the folder holds no model, or one whose files are not
 *   those of its manifest; `M2FP_BAD_OPTION` where it is ready
 */
export async function refuseDownload(settings: ModelSettings): Promise<never> {
  if (settings.source === 'remote') await remoteDescription(settings);
  else await services.intactManifest(settings.engine.model);
  throw new M2fpError(
    'M2FP_BAD_OPTION',
    'There is nothing to download or convert for this model: it is ready as it is.',
  );
}

async function remoteDescription(settings: RemoteSettings): Promise<ModelDescription> {
  const { engine, parse } = settings;
  const answer = services.describeRemote(engine.address);
  const { manifest, workers } = await raceSignal(answer, workerTimeout(WORKER_TIMEOUT));
  const { id, digest, kind, labels, precision } = manifest;
  return {
    id,
    choice: choiceOfSettings(settings, undefined),
    present: true,
    isCheckpoint: false,
    size: null,
    digest,
    kind,
    labels: [...labels],
    input: ruleFor(manifest.input, parse),
    precision,
    int8: manifest.int8 ?? null,
    isRemakable: false,
    notMakable: null,
    estimate: null,
    workers: workersSeen(workers),
  };
}

async function localDescription(settings: LocalSettings): Promise<ModelDescription> {
  const { engine, parse } = settings;
  const wanted = await wantedModel(settings);
  const checkpoint = wanted && 'source' in wanted ? wanted : undefined;
  const named = { choice: choiceOfSettings(settings, checkpoint), isCheckpoint: checkpoint !== undefined };
  if (wanted && !(await services.isPulled(wanted))) {
    const { id, precision } = wanted;
    const known = publishedFacts(id);
    const absent = {
      ...named,
      id,
      present: false,
      size: null,
      digest: null,
      precision,
      int8: null,
      isRemakable: false,
      notMakable: checkpoint?.precision === 'int8' ? await notMakableAt(checkpoint.source) : null,
    };
    if (known === undefined) return { ...absent, kind: null, labels: null, input: null, estimate: null };
    const { kind, labels, input, hyperParameters, weights } = known;
    const stored = (share: number) => ({ 'model.onnx.data': { size: share * weights } });
    const size: Pick<ModelSize, 'precision' | 'files'> =
      precision === 'int8'
        ? { precision, files: stored(INT8_SHARE) }
        : { precision: 'fp32', files: stored(1) };
    const rule = ruleFor(input, parse);
    return {
      ...absent,
      kind,
      labels: [...labels],
      input: rule,
      // The weights are counted as they lie in memory.
      estimate: await estimateFor({ ...size, input, hyperParameters }, rule, engine),
    };
  }
  const folder = checkpoint ? modelFolder(checkpoint.root, checkpoint) : engine.model;
  const manifest = await services.readManifest(folder);
  const { id, digest, kind, labels, precision } = manifest;
  const input = ruleFor(manifest.input, parse);
  return {
    ...named,
    id,
    present: true,
    size: sizeOf(manifest),
    digest,
    kind,
    labels: [...labels],
    input,
    precision,
    int8: manifest.int8 ?? null,
    isRemakable: wanted?.precision === 'int8',
    notMakable:
      wanted === undefined && settings.conversion?.precision === 'int8'
        ? (whyNotMakable(manifest) ?? null)
        : null,
    estimate: await estimateFor(manifest, input, engine),
  };
}

/** Of what an int8 model is to be made of; a checkpoint is converted first, which is no hindrance. */
async function notMakableAt(source: string): Promise<NotMakable | null> {
  const manifest = await services.readManifest(source).catch(() => undefined);
  return (manifest && whyNotMakable(manifest)) ?? null;
}

async function estimateFor(
  model: ModelSize,
  input: InputRule,
  { processes, threads }: LocalSettings['engine'],
): Promise<Estimate> {
  return estimate(
    model,
    input,
    { processes, threads },
    {
      platform: platformFacts(),
      processor: await processorFacts(),
      freeMemory: memoryFacts().free,
      nativeRuntime: (await services.fallback()) === null,
      int8Speed: await services.knownInt8Speed(),
    },
  );
}
