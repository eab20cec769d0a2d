/** A model server on loopback that speaks ModelScope's file API, and misbehaves as a test tells it to. */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { goldenFolder } from '../../support/golden.ts';

export const MODEL_ID = 'iic/cv_resnet101_image-multiple-human-parsing';
export const CHECKPOINT = 'pytorch_model.pt';

/** Answers one request for a file (or the list) in place of the hub. */
export type Misbehaviour = (request: IncomingMessage, response: ServerResponse, bytes: Buffer) => void;

export interface HubFile {
  bytes: Buffer;
  /** What the list tells, where that is not the truth; null where it tells nothing. */
  sha256?: string | null;
  size?: number | null;
}

export interface SeenRequest {
  /** `list`, or the path of a file. */
  what: string;
  url: string;
  headers: IncomingMessage['headers'];
  range: string | undefined;
}

export const sha256 = (bytes: Buffer) => createHash('sha256').update(bytes).digest('hex');

export class Hub {
  readonly files = new Map<string, HubFile>();
  readonly requests: SeenRequest[] = [];
  /** The name under which it has the model. */
  id = MODEL_ID;
  /** Which of the addresses of a file exist. */
  forms = new Set(['resolve', 'api']);
  listed = true;
  ranges = true;
  readonly #misbehaviours = new Map<string, Misbehaviour[]>();
  readonly #server: Server;

  constructor() {
    for (const name of ['configuration.json', CHECKPOINT]) {
      this.files.set(name, { bytes: readFileSync(join(goldenFolder('multi'), name)) });
    }
    this.files.set('README.md', { bytes: Buffer.from('# Card\n') });
    this.#server = createServer((request, response) => this.#answer(request, response));
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  async open(): Promise<this> {
    await new Promise<void>((resolve) => {
      this.#server.listen(0, '127.0.0.1', () => resolve());
    });
    return this;
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  /** The next requests for `what` (`list` or a file's path) meet these, one each. */
  next(what: string, ...misbehaviours: Misbehaviour[]): void {
    this.#misbehaviours.set(what, [...(this.#misbehaviours.get(what) ?? []), ...misbehaviours]);
  }

  /** Every request for `what` meets this. */
  always(what: string, misbehaviour: Misbehaviour): void {
    this.next(what, (...call) => {
      this.always(what, misbehaviour);
      misbehaviour(...call);
    });
  }

  /** The requests for a file, or for the list. */
  of(what: string): SeenRequest[] {
    return this.requests.filter((request) => request.what === what);
  }

  get checkpoint(): HubFile {
    return this.files.get(CHECKPOINT)!;
  }

  /** Serves a file as a good server does. */
  serve(request: IncomingMessage, response: ServerResponse, bytes: Buffer): void {
    const etag = `"${sha256(bytes).slice(0, 16)}"`;
    const { range, 'if-range': condition } = request.headers;
    const start = Number(/^bytes=(\d+)-$/.exec(range ?? '')?.[1] ?? 0);
    const headers = { etag, 'content-type': 'application/octet-stream' };
    if (!this.ranges || start === 0 || (condition !== undefined && condition !== etag)) {
      response.writeHead(200, { ...headers, 'content-length': bytes.length }).end(bytes);
    } else if (start >= bytes.length) {
      response.writeHead(416, { 'content-range': `bytes */${bytes.length}` }).end();
    } else {
      const part = bytes.subarray(start);
      const position = `bytes ${start}-${bytes.length - 1}/${bytes.length}`;
      response
        .writeHead(206, { ...headers, 'content-length': part.length, 'content-range': position })
        .end(part);
    }
  }

  #answer(request: IncomingMessage, response: ServerResponse): void {
    const url = new URL(request.url ?? '/', 'http://hub');
    const api = `/api/v1/models/${this.id}/repo`;
    const resolve = /^\/models\/(.+\/.+)\/resolve\/master\/(.+)$/.exec(url.pathname);
    const path = url.pathname === api ? url.searchParams.get('FilePath') : resolve?.[2];
    const what = url.pathname === `${api}/files` ? 'list' : path;
    if (typeof what !== 'string' || (resolve !== null && resolve[1] !== this.id)) {
      if (this.listed || resolve !== null) return notFound(response);
      response.writeHead(404, { 'content-type': 'text/html' }).end('<h1>404 Not Found</h1>');
      return;
    }
    this.requests.push({
      what,
      url: request.url ?? '',
      headers: request.headers,
      range: request.headers.range,
    });
    const file = this.files.get(what);
    const misbehaviour = this.#misbehaviours.get(what)?.shift();
    if (misbehaviour !== undefined) return misbehaviour(request, response, file?.bytes ?? Buffer.alloc(0));
    if (what === 'list') return this.#list(response);
    const form = resolve === null ? 'api' : 'resolve';
    if (file === undefined || !this.forms.has(form)) return notFound(response);
    this.serve(request, response, file.bytes);
  }

  #list(response: ServerResponse): void {
    if (!this.listed) {
      response.writeHead(404, { 'content-type': 'text/html' }).end('<h1>404 Not Found</h1>');
      return;
    }
    const files = [...this.files].map(([path, { bytes, sha256: digest, size }]) => ({
      Name: path,
      Path: path,
      Type: 'blob',
      ...(size !== null && { Size: size ?? bytes.length }),
      ...(digest !== null && { Sha256: digest ?? sha256(bytes) }),
    }));
    const folder = { Name: 'assets', Path: 'assets', Type: 'tree', Size: 0 };
    json(response, 200, { Code: 200, Success: true, Data: { Files: [folder, ...files] } });
  }
}

export function json(response: ServerResponse, status: number, body: object): void {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
}

/** ModelScope's words for a model that it does not know. */
export function notFound(response: ServerResponse): void {
  json(response, 404, { Code: 10010205001, Message: 'The model does not exist', Success: false });
}

export const answerStatus =
  (status: number, headers: Record<string, string> = {}): Misbehaviour =>
  (_request, response) =>
    response.writeHead(status, headers).end();

/** Sends a share of the file and breaks the connection. */
export const cutAt =
  (share: number): Misbehaviour =>
  (_request, response, bytes) => {
    response.writeHead(200, { 'content-length': bytes.length, etag: '"cut"' });
    response.write(bytes.subarray(0, Math.floor(bytes.length * share)), () => response.destroy());
  };

/** Sends a share of the file and then nothing. */
export const stallAt =
  (share: number): Misbehaviour =>
  (_request, response, bytes) => {
    response.writeHead(200, { 'content-length': bytes.length });
    response.write(bytes.subarray(0, Math.floor(bytes.length * share)));
  };

export const webPage: Misbehaviour = (_request, response) => {
  response
    .writeHead(200, { 'content-type': 'text/html; charset=utf-8' })
    .end('<!doctype html><h1>Welcome</h1>');
};

/** Sends other bytes of the same length. */
export const damaged: Misbehaviour = (_request, response, bytes) => {
  response.writeHead(200, { 'content-length': bytes.length }).end(Buffer.alloc(bytes.length, 7));
};
