/** The worker's own port: `/live`, `/ready`, `/health` and `/metrics` for whoever watches it. */
import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { M2fpError } from '../errors.ts';
import { answerProbe, PROBES, type ProbeSource } from '../observe/probes.ts';

/** Nobody who asks sends much, or takes long. */
const TIMES = { headersTimeout: 5000, requestTimeout: 5000, keepAliveTimeout: 5000 };

/**
 * Answers at `address`, `[HOST:]PORT`; without a host only on this machine. Resolves when it does.
 * @throws {M2fpError} `M2FP_BAD_OPTION` for what is no address, or none that can be had
 */
export async function serveProbes(address: string, source: ProbeSource): Promise<ProbeServer> {
  const { host, port } = parseAddress(address);
  const server = createServer(TIMES, (request, response) => void answer(request, response, source));
  server.listen(port, host);
  try {
    await once(server, 'listening');
  } catch (error) {
    const { message } = error as Error;
    throw new M2fpError('M2FP_BAD_OPTION', `--listen ${address}: ${message}`, { cause: error });
  }
  return new ProbeServer(server);
}

export class ProbeServer {
  readonly #server: Server;

  constructor(server: Server) {
    this.#server = server;
  }

  get url(): string {
    const { address, port, family } = this.#server.address() as AddressInfo;
    return `http://${family === 'IPv6' ? `[${address}]` : address}:${port}`;
  }

  close(): void {
    this.#server.close();
    this.#server.closeAllConnections();
  }
}

function parseAddress(text: string): { host: string; port: number } {
  const [, bracketed, plain, digits] = /^(?:\[([\da-f:.]+)\]:|([^:[\]\s]+):)?(\d{1,5})$/i.exec(text) ?? [];
  const port = Number(digits);
  if (digits === undefined || port > 65_535) {
    throw new M2fpError(
      'M2FP_BAD_OPTION',
      `--listen takes a port, such as 9464, or an address and a port, such as 0.0.0.0:9464, not "${text}"`,
    );
  }
  return { host: bracketed ?? plain ?? '127.0.0.1', port };
}

/** Never rejects. */
async function answer(
  request: IncomingMessage,
  response: ServerResponse,
  source: ProbeSource,
): Promise<void> {
  const { method = '', url = '/' } = request;
  const [path] = url.split('?', 1);
  const probe = PROBES.find((name) => path === `/${name}`);
  const end = (status: number, headers: Record<string, string>, body: string): void => {
    response.writeHead(status, headers);
    response.end(method === 'HEAD' ? undefined : body);
  };
  const text = { 'content-type': 'text/plain; charset=utf-8' };
  try {
    if (probe === undefined) return end(404, text, `${PROBES.map((name) => `/${name}`).join('\n')}\n`);
    if (method !== 'GET' && method !== 'HEAD') return end(405, { ...text, allow: 'GET, HEAD' }, '');
    const { statusCode, headers, body } = await answerProbe(probe, source);
    if (typeof body === 'string') return end(statusCode, headers, body);
    end(statusCode, { ...headers, 'content-type': 'application/json' }, `${JSON.stringify(body)}\n`);
  } catch {
    end(500, text, '');
  }
}
