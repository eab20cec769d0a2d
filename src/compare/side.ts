/** One of two that are compared: a model with settings, in an engine process of its own. */
import { completeEngineOptions } from '../engine/options.ts';
import type { ParseOptions, Parsing } from '../parsing/types.ts';
import { LocalEngine } from '../engine/local/local-engine.ts';
import { M2fpError } from '../errors.ts';
import type { ModelManifest } from '../m2fp/manifest.ts';
import { median } from '../numbers.ts';
import { intactManifest } from '../store/manifest.ts';

export interface Settings extends Pick<ParseOptions, 'shortSide' | 'longSide' | 'flip'> {
  /** Whether it runs on onnxruntime's WebAssembly build. */
  wasm?: boolean;
}

export interface SideOptions {
  /** The folder of a converted model. */
  model: string;
  settings: Settings;
}

/** What a reader wants to know of a side. */
export interface SideFacts {
  id: string;
  digest: string;
  precision: string;
  folder: string;
  settings: Settings;
  /** `cpu` or `wasm`. */
  provider: string;
  /** Median of the time from the encoded picture to its parsing, seconds; of these the network's. */
  seconds: number;
  networkSeconds: number;
  /** The most that its process took after a picture, bytes; null where that is not told. */
  memory: number | null;
}

export class Side {
  readonly manifest: ModelManifest;
  readonly #engine: LocalEngine;
  readonly #options: SideOptions;
  readonly #seconds: number[] = [];
  readonly #network: number[] = [];
  #memory: number | null = null;

  private constructor(options: SideOptions, manifest: ModelManifest) {
    const { model, settings } = options;
    this.manifest = manifest;
    this.#options = options;
    this.#engine = new LocalEngine(
      manifest,
      completeEngineOptions({ model, timeout: 0, warmUp: true }),
      settings.wasm ? { provider: 'wasm' } : {},
    );
  }

  /** Reads the model's facts; starts nothing. @throws M2fpError M2FP_MODEL_NOT_FOUND, M2FP_MODEL_INVALID */
  static async of(options: SideOptions): Promise<Side> {
    return new Side(options, await intactManifest(options.model));
  }

  /** Starts the process. @throws M2fpError as an engine does */
  async load(): Promise<void> {
    await this.#engine.load();
  }

  async parse(image: Buffer, signal: AbortSignal | undefined): Promise<Parsing> {
    const { shortSide, longSide, flip } = this.#options.settings;
    const parsing = await this.#engine.parse({
      image,
      options: { shortSide, longSide, flip },
      ...(signal && { signal }),
    });
    this.#seconds.push(parsing.timing.total / 1000);
    this.#network.push(parsing.timing.inference / 1000);
    const [process] = this.#engine.info().processes;
    this.#memory = Math.max(this.#memory ?? 0, process?.rss ?? 0) || null;
    return parsing;
  }

  /** The time of the picture that was parsed last, seconds. */
  get lastSeconds(): number {
    return this.#seconds.at(-1)!;
  }

  facts(): SideFacts {
    const { id, digest, precision } = this.manifest;
    const { model, settings } = this.#options;
    return {
      id,
      digest,
      precision,
      folder: model,
      settings,
      provider: this.#engine.info().provider,
      seconds: median(this.#seconds),
      networkSeconds: median(this.#network),
      memory: this.#memory,
    };
  }

  close(): Promise<void> {
    return this.#engine.close();
  }
}

/** @throws M2fpError M2FP_BAD_OPTION where the two cannot be told apart, or have nothing to compare */
export function checkComparable(a: Side, b: Side): void {
  const [left, right] = [a.facts(), b.facts()];
  const fail = (reason: string) => new M2fpError('M2FP_BAD_OPTION', reason);
  const key = ({ digest, settings, provider }: SideFacts) =>
    JSON.stringify([digest, provider, settings.shortSide, settings.longSide, settings.flip ?? false]);
  if (key(left) === key(right)) {
    throw fail(
      `A and B are the same model (${left.id}, ${left.precision}) with the same settings: give another model, or say ` +
        'what B is to do otherwise (--b flip, for example)',
    );
  }
  const [one, other] = [a.manifest, b.manifest];
  if (one.kind !== other.kind || one.labels.join('\n') !== other.labels.join('\n')) {
    throw fail(
      `A and B do not find the same: ${one.id} is ${one.kind} with ${one.labels.length} labels, ${other.id} is ` +
        `${other.kind} with ${other.labels.length}. Compare models of one kind, with the same labels`,
    );
  }
}
