/** A camera on the loopback: snapshots and MJPEG, with a login or without, and with the faults of real ones. */
import { createHash, randomBytes } from 'node:crypto';
import { EventEmitter, once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo, Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

export interface Account {
  user: string;
  password: string;
}

type Handler = (request: IncomingMessage, response: ServerResponse) => void | Promise<void>;

export class CameraServer {
  readonly #server: ReturnType<typeof createServer>;
  readonly #sockets = new Set<Socket>();
  /** Answers what has passed the login. */
  handler: Handler = (_request, response) => void response.writeHead(404).end();
  /** What `WWW-Authenticate` says to those without a login; undefined: everybody may. */
  login: { challenges: (nonce: string) => string[]; account?: Account; token?: string } | undefined;
  /** Of the requests that came, in order. */
  readonly requests: { url: string; authorization: string | undefined }[] = [];
  nonce = randomBytes(8).toString('hex');
  /** A nonce holds for so many requests. */
  nonceUses = Infinity;
  #used = 0;
  readonly #events = new EventEmitter();

  constructor(tls?: { key: string; cert: string }) {
    const listen: Handler = (request, response) => this.#answer(request, response);
    const onRequest = (request: IncomingMessage, response: ServerResponse): void =>
      void listen(request, response);
    this.#server = tls ? createTlsServer(tls, onRequest) : createServer(onRequest);
    this.#server.on('connection', (socket: Socket) => {
      this.#sockets.add(socket);
      socket.on('error', () => {}).on('close', () => this.#sockets.delete(socket));
    });
  }

  async start(): Promise<this> {
    this.#server.listen(0, '127.0.0.1');
    await once(this.#server, 'listening');
    return this;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  get connections(): number {
    return this.#sockets.size;
  }

  url(path: string, login = ''): string {
    return `http://${login}127.0.0.1:${this.port}${path}`;
  }

  /** Resolves with the next request. */
  async asked(): Promise<void> {
    await once(this.#events, 'request');
  }

  /** Breaks every connection off. */
  cut(): void {
    for (const socket of this.#sockets) socket.destroy();
  }

  async stop(): Promise<void> {
    this.cut();
    this.#server.close();
    await once(this.#server, 'close');
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { authorization } = request.headers;
    this.requests.push({ url: request.url ?? '', authorization });
    this.#events.emit('request');
    if (this.login && !this.#mayEnter(request)) {
      response
        .writeHead(401, {
          'www-authenticate': this.login.challenges(this.nonce),
          'content-type': 'text/html',
        })
        .end('<h1>401</h1>');
      return;
    }
    await this.handler(request, response);
  }

  #mayEnter({ method = '', url = '', headers }: IncomingMessage): boolean {
    const { account, token } = this.login!;
    const { authorization = '' } = headers;
    if (token !== undefined) return authorization === `Bearer ${token}`;
    const { user, password } = account!;
    if (authorization.startsWith('Basic ')) {
      const isOffered = this.login!.challenges('').some((text) => /basic/i.test(text));
      return isOffered && Buffer.from(authorization.slice(6), 'base64').toString() === `${user}:${password}`;
    }
    if (!authorization.startsWith('Digest ')) return false;
    const given = Object.fromEntries(
      [...authorization.matchAll(/(\w+)=(?:"([^"]*)"|([^,\s]+))/g)].map(([, name, quoted, plain]) => [
        name!,
        quoted ?? plain!,
      ]),
    );
    if (given['nonce'] !== this.nonce || given['uri'] !== url || given['username'] !== user) return false;
    if (this.#used >= this.nonceUses) {
      this.#used = 0;
      this.nonce = randomBytes(8).toString('hex');
      return false;
    }
    this.#used++;
    const algorithm = given['algorithm'] === 'SHA-256' ? 'sha256' : 'md5';
    const hash = (text: string): string => createHash(algorithm).update(text).digest('hex');
    const ha1 = hash(`${user}:${given['realm']}:${password}`);
    const ha2 = hash(`${method}:${url}`);
    const middle = given['qop'] === undefined ? [] : [given['nc'], given['cnonce'], given['qop']];
    return given['response'] === hash([ha1, this.nonce, ...middle, ha2].join(':'));
  }
}

/** How the parts of a stream are written. */
export interface PartStyle {
  boundary?: string;
  /** As in the header of the answer: quotes, or none. */
  contentType?: string;
  newline?: string;
  /** Undefined: none is told. */
  length?: (image: Buffer) => number | undefined;
  garbage?: Buffer;
}

/** Sends the pictures as MJPEG, one after the other; the answer stays open. */
export async function sendParts(
  response: ServerResponse,
  images: readonly Buffer[],
  style: PartStyle = {},
): Promise<void> {
  const { boundary = 'frame', newline = '\r\n', garbage, length = (image: Buffer) => image.length } = style;
  const { contentType = `multipart/x-mixed-replace; boundary=${boundary}` } = style;
  response.writeHead(200, { 'content-type': contentType });
  for (const image of images) {
    const told = length(image);
    const headers = [
      `--${boundary}`,
      'Content-Type: image/jpeg',
      ...(told === undefined ? [] : [`Content-Length: ${told}`]),
    ];
    response.write(`${headers.join(newline)}${newline}${newline}`);
    // In pieces, as they come over a network.
    for (let at = 0; at < image.length; at += 1000) response.write(image.subarray(at, at + 1000));
    response.write(newline);
    if (garbage) response.write(garbage);
    await sleep(1);
  }
}
