/**
 * ModelScope's file API, as its own client uses it (modelscope/hub/api.py and file_download.py): a list of the
 * files with sizes and digests, and two addresses for each file.
 */
import { M2fpError } from '../errors.ts';
import { get, shownUrl, statusError, type Answer, type RequestOptions } from './http.ts';
import { retry, type RetryOptions, TransientError } from './retry.ts';

export const MODELSCOPE = 'https://modelscope.cn';

/** More than a list of files ever has, in bytes. */
const MAX_LISTING = 16 * 2 ** 20;

export interface ListedFile {
  path: string;
  /** Bytes. */
  size?: number;
  /** Lower-case hex. */
  sha256?: string;
}

interface Listing {
  Code?: unknown;
  Message?: unknown;
  Data?: { Files?: unknown } | null;
}

/** The addresses of one model on one server. */
export class ModelAddress {
  readonly id: string;
  readonly revision: string;
  readonly #base: string;

  /** @throws M2fpError M2FP_BAD_OPTION where `baseUrl` is no http(s) address */
  constructor(id: string, revision: string, baseUrl: string) {
    const url = URL.parse(baseUrl);
    if (url === null || !/^https?:$/.test(url.protocol) || url.search !== '' || url.hash !== '') {
      throw new M2fpError(
        'M2FP_BAD_OPTION',
        `${JSON.stringify(baseUrl)} is no address of a model server: give one like ${MODELSCOPE}`,
      );
    }
    this.id = id;
    this.revision = revision;
    this.#base = url.href.replace(/\/+$/, '');
  }

  get listing(): URL {
    const query = new URLSearchParams({ Revision: this.revision, Recursive: 'True' });
    return new URL(`${this.#base}/api/v1/models/${this.id}/repo/files?${query}`);
  }

  /** Where a file is served: the web address first, then the API's. */
  file(path: string): URL[] {
    const query = new URLSearchParams({ Revision: this.revision, FilePath: path });
    const encoded = path.split('/').map(encodeURIComponent).join('/');
    return [
      new URL(`${this.#base}/models/${this.id}/resolve/${this.revision}/${encoded}`),
      new URL(`${this.#base}/api/v1/models/${this.id}/repo?${query}`),
    ];
  }
}

/**
 * The files of a model; undefined where the server has no list at all, as a mirror of plain files has none.
 * @throws M2fpError M2FP_MODEL_NOT_FOUND where the server knows no such model or revision, M2FP_DOWNLOAD_FAILED;
 *   the signal's reason
 */
export function listFiles(
  address: ModelAddress,
  options: RequestOptions & Pick<RetryOptions, 'random' | 'onRetry'>,
): Promise<ListedFile[] | undefined> {
  return retry(async () => {
    const answer = await get(address.listing, { accept: 'application/json' }, options);
    try {
      return await readListing(answer, address);
    } finally {
      answer.discard();
    }
  }, options);
}

async function readListing(answer: Answer, address: ModelAddress): Promise<ListedFile[] | undefined> {
  const { status, url } = answer;
  const what = `The list of files ${shownUrl(url)}`;
  if (status !== 200 && status !== 404) throw statusError(answer, what);
  const text = await readText(answer, what);
  const listing = parse(text);
  if (status === 404) {
    if (listing?.Code === undefined) return undefined;
    throw new M2fpError(
      'M2FP_MODEL_NOT_FOUND',
      `${url.host} has no model ${address.id} with the revision ${address.revision}` +
        `${typeof listing.Message === 'string' ? ` (${listing.Message.slice(0, 200)})` : ''}: ` +
        'check the id and the revision',
    );
  }
  const files = listing?.Data?.Files;
  if (!Array.isArray(files)) {
    const page = text.trimStart().startsWith('<');
    throw new M2fpError(
      'M2FP_DOWNLOAD_FAILED',
      page
        ? `${what} is a web page, not a list. Mostly that is the login page of a network or of a proxy: log in ` +
            'there in a browser, or check the address of the server'
        : `${what} cannot be read: it is not in ModelScope's format. Check the address of the server`,
    );
  }
  return files.flatMap(listedFile);
}

async function readText({ body, status }: Answer, what: string): Promise<string> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of body) {
    chunks.push(chunk);
    length += chunk.length;
    if (length > MAX_LISTING) throw new TransientError(`${what} does not end`, { status });
  }
  return Buffer.concat(chunks).toString('utf8');
}

function parse(text: string): Listing | null {
  try {
    const json: unknown = JSON.parse(text);
    return typeof json === 'object' ? json : null;
  } catch {
    return null;
  }
}

/** A file of the list; what is no file, or is written wrong, is left out. */
function listedFile(entry: unknown): ListedFile[] {
  if (typeof entry !== 'object' || entry === null) return [];
  const { Path, Type, Size, Sha256 } = entry as Record<string, unknown>;
  if (typeof Path !== 'string' || Type === 'tree') return [];
  const digest = typeof Sha256 === 'string' ? Sha256.toLowerCase() : '';
  return [
    {
      path: Path,
      ...(Number.isSafeInteger(Size) && (Size as number) > 0 && { size: Size as number }),
      ...(/^[0-9a-f]{64}$/.test(digest) && { sha256: digest }),
    },
  ];
}
