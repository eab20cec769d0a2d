/** Downloads and conversions that somebody began in the editor: they outlive the form, the page, and deploys. */
import { M2fpError } from '../../src/errors.ts';
import { int8Warnings } from '../../src/m2fp/int8-origin.ts';
import type { PullProgress } from '../../src/store/progress.ts';
import type { PulledModel } from '../../src/store/pull.ts';
import { codeOf } from '../common/failure.ts';
import { services } from '../common/services.ts';
import { choiceOfWanted, type WantedModel } from './choice.ts';

/** What the form is told; plain JSON. */
export interface DownloadStatus {
  /** Names it in the routes. */
  id: string;
  state: 'running' | 'done' | 'failed';
  /** Whether an int8 model that was there is made once more. */
  again: boolean;
  /** Null before it has begun, and once it has ended. */
  progress: PullProgress | null;
  /** Why it failed. */
  problem: { code: string | null; message: string } | null;
  /** What is wrong with the weights of a model that came, and with pictures. */
  warnings: string[];
}

interface Download {
  status: DownloadStatus;
  /** See `LocalSource.pictures`. */
  pictures: string | undefined;
  abort: AbortController;
  /** Never rejects. */
  ended: Promise<void>;
}

/** So many that have ended are remembered, for a form that looks at them later. */
const REMEMBERED = 20;

export class Downloads {
  readonly #downloads = new Map<string, Download>();
  readonly #onMade: (wanted: WantedModel, model: PulledModel) => void;

  /** @param onMade told of each model that is there now, also of one that was there before; throws nothing */
  constructor(onMade: (wanted: WantedModel, model: PulledModel) => void) {
    this.#onMade = onMade;
  }

  /**
   * Begins to download or convert the model, and shares the work with nodes that wait for the same one. One that is
   * under way goes on.
   * @param again whether an int8 model that is there is made once more
   */
  start(wanted: WantedModel, again = false): DownloadStatus {
    const id = choiceOfWanted(wanted);
    const running = this.#downloads.get(id);
    if (running?.status.state === 'running') return running.status;
    const abort = new AbortController();
    const download: Download = {
      status: { id, state: 'running', again, progress: null, problem: null, warnings: [] },
      pictures: wanted.pictures,
      abort,
      ended: Promise.resolve(),
    };
    // Behind those that began earlier.
    this.#downloads.delete(id);
    this.#downloads.set(id, download);
    download.ended = this.#run(wanted, download, again);
    return download.status;
  }

  /** Undefined for one that never was, was cancelled, or is long over. */
  find(id: string): DownloadStatus | undefined {
    return this.#downloads.get(id)?.status;
  }

  /** The same for who wants the model made with `pictures`: that it failed with others says nothing of these. */
  findWith(id: string, pictures: string | undefined): DownloadStatus | undefined {
    const download = this.#downloads.get(id);
    const isOfOthers = download?.status.state === 'failed' && download.pictures !== pictures;
    return isOfOthers ? undefined : download?.status;
  }

  /**
   * Ends it and forgets it, also one that failed. What has arrived is kept, and nodes that wait for the same model
   * go on.
   * @returns false where there is none
   */
  async cancel(id: string): Promise<boolean> {
    const download = this.#downloads.get(id);
    if (download === undefined) return false;
    this.#downloads.delete(id);
    download.abort.abort(
      new M2fpError('M2FP_CANCELLED', 'The download was cancelled; what has arrived is kept.'),
    );
    await download.ended;
    return true;
  }

  /** Never rejects. */
  async #run(wanted: WantedModel, download: Download, again: boolean): Promise<void> {
    const { signal } = download.abort;
    const { id } = download.status;
    const change = (status: Partial<DownloadStatus>): void => {
      if (!signal.aborted) download.status = { ...download.status, ...status };
    };
    const onProgress = (progress: PullProgress): void => change({ progress });
    try {
      const model =
        'source' in wanted
          ? await services.convert(wanted, { signal, onProgress, again })
          : await services.pull({ ...wanted, signal, onProgress, again });
      change({ state: 'done', progress: null, warnings: notOfInt8(model) });
      this.#onMade(wanted, model);
    } catch (error) {
      const message = error instanceof Error ? error.message : String(error);
      change({ state: 'failed', progress: null, problem: { code: codeOf(error) ?? null, message } });
    }
    if (this.#downloads.get(id) === download) this.#forgetOldest();
  }

  #forgetOldest(): void {
    const over = [...this.#downloads.values()].filter(({ status }) => status.state !== 'running');
    for (const { status } of over.slice(0, Math.max(0, over.length - REMEMBERED)))
      this.#downloads.delete(status.id);
  }
}

/** What is to be said of the model, but for what the form says of an int8 one in its user's language. */
function notOfInt8({ manifest, warnings }: PulledModel): string[] {
  const told = manifest.int8 === undefined ? [] : int8Warnings(manifest.int8);
  return warnings.filter((warning) => !told.includes(warning));
}
