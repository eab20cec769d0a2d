/** What is told of a model. */
import type { EngineInfo } from '../../src/engine/types.ts';
import { type Int8Origin, int8Warnings } from '../../src/m2fp/int8-origin.ts';
import type { InputRule, ModelKind, ModelManifest, Precision } from '../../src/m2fp/manifest.ts';
import { MAP_CONFIDENCE } from '../../src/parsing/postprocess/postprocess.ts';
import type { ModelName } from '../../src/store/names.ts';
import type { ModelNode, ModelPlace } from './model.ts';

/** Plain JSON. What only the model itself could tell is null while it is not there. */
export interface ModelFacts {
  id: string;
  /** Of a model from ModelScope, null for others. */
  revision: string | null;
  source: ModelPlace['source'];
  /** Where the converted model lies, or will; null where only workers have it. */
  folder: string | null;
  /** Bytes on disk of this machine. */
  size: number;
  licence: string;
  digest: string | null;
  kind: ModelKind | null;
  /** Empty while the model is not there. */
  labels: string[];
  /** How a picture becomes the network's input. */
  input: InputRule | null;
  scoreThreshold: number | null;
  /** How sure a pixel of the label map must be. */
  mapConfidence: number | null;
  precision: Precision;
  /** Of an `int8` model, how it was made and how near it is to the one that it was made of; null of others. */
  int8: Int8Origin | null;
  /** What is wrong with its weights, and where an int8 model is far off, in words; mostly empty. */
  warnings: string[];
  /** 'cpu' (native) or 'wasm'. */
  provider: string | null;
  threads: number | null;
  /** `pulling`: also while a checkpoint is converted. */
  state: EngineInfo['state'] | 'not pulled' | 'not converted' | 'pulling';
  /** Seconds; null before the model was loaded for the first time. */
  loadSeconds: number | null;
  /** Pictures that wait. */
  waiting: number;
  /** How often the engine's process had to be replaced. */
  restarts: number;
  /** Where workers are looked for, and how many are there; null for a model of this machine. */
  remote: { url: string; queue: string; workers: number } | null;
}

/** A text of the shared catalogue. */
export type Text = (key: string, values?: Record<string, string | number>) => string;

/** The facts of a deployed model; nothing is pulled or loaded. @throws {M2fpError} where it is wrong or damaged */
export async function factsOf(model: ModelNode, text: Text, signal?: AbortSignal): Promise<ModelFacts> {
  const place = await model.place();
  const { published, checkpoint, presence } = place;
  const wanted = published ?? checkpoint;
  if (wanted && presence.state !== 'present') return absentFacts(place, wanted, licenceOf(place, text));
  const engine = await model.engine(signal);
  return modelFacts(place, engine.info(), licenceOf(place, text));
}

function licenceOf({ source, published }: ModelPlace, text: Text): string {
  return text(`licence.${source}`, published && { url: `https://modelscope.cn/models/${published.id}` });
}

function modelFacts(place: ModelPlace, info: EngineInfo, licence: string): ModelFacts {
  const { manifest, provider, threads, state, loadSeconds, waiting, restarts, processes } = info;
  const {
    id,
    digest,
    kind,
    labels,
    input,
    scoreThreshold,
    mapConfidence = MAP_CONFIDENCE,
    precision,
    int8,
    warnings = [],
  } = manifest;
  return {
    id,
    revision: place.published?.revision ?? null,
    source: place.source,
    folder: place.folder,
    size: place.remote ? 0 : sizeOf(manifest),
    licence,
    digest,
    kind,
    labels: [...labels],
    input: { ...input },
    scoreThreshold,
    mapConfidence,
    precision,
    int8: int8 === undefined ? null : structuredClone(int8),
    warnings: [...warnings, ...(int8 === undefined ? [] : int8Warnings(int8))],
    provider,
    threads,
    state,
    loadSeconds,
    waiting,
    restarts,
    remote: place.remote
      ? { url: place.remote.url, queue: place.remote.queue, workers: processes.length }
      : null,
  };
}

/** What is known of a model that is not there yet. */
function absentFacts(place: ModelPlace, model: ModelName, licence: string): ModelFacts {
  return {
    id: model.id,
    revision: place.published?.revision ?? null,
    source: place.source,
    folder: place.folder,
    size: 0,
    licence,
    digest: null,
    kind: null,
    labels: [],
    input: null,
    scoreThreshold: null,
    mapConfidence: null,
    precision: model.precision,
    int8: null,
    warnings: [],
    provider: null,
    threads: null,
    state: place.presence.state === 'pulling' ? 'pulling' : place.checkpoint ? 'not converted' : 'not pulled',
    loadSeconds: null,
    waiting: 0,
    restarts: 0,
    remote: null,
  };
}

/** Bytes on disk. */
export function sizeOf({ files }: ModelManifest): number {
  return Object.values(files).reduce((sum, { size }) => sum + size, 0);
}
