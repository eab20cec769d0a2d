/** What the load node tells of a model. */
import type { EngineInfo } from '../../src/engine/types.ts';
import type { InputRule, ModelKind, Precision } from '../../src/m2fp/manifest.ts';

/** Plain JSON. */
export interface ModelFacts {
  id: string;
  digest: string;
  kind: ModelKind;
  labels: string[];
  /** How a picture becomes the network's input. */
  input: InputRule;
  scoreThreshold: number;
  precision: Precision;
  /** 'cpu' (native) or 'wasm'. */
  provider: string;
  threads: number;
  state: EngineInfo['state'];
  /** Seconds; null before the model was loaded for the first time. */
  loadSeconds: number | null;
  /** Pictures that wait. */
  waiting: number;
  /** How often the engine's process had to be replaced. */
  restarts: number;
}

export function modelFacts(info: EngineInfo): ModelFacts {
  const { manifest, provider, threads, state, loadSeconds, waiting, restarts } = info;
  const { id, digest, kind, labels, input, scoreThreshold, precision } = manifest;
  return {
    id,
    digest,
    kind,
    labels: [...labels],
    input: { ...input },
    scoreThreshold,
    precision,
    provider,
    threads,
    state,
    loadSeconds,
    waiting,
    restarts,
  };
}
