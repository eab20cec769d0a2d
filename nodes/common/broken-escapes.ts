/**
 * Addresses of ours with a "%" that begins no character, such as `/jobs/%E0%A4%A`. Express decodes what stands for `:id` before
 * any node of a flow sees the request, and answers with a page of its own, in HTML. So such a piece is taken as the text that it
 * is: the flow then says, in its own form, that there is nothing of this name. Requests for other addresses are left alone.
 */
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import type { IncomingMessage } from 'node:http';
import type { NodeAPI } from 'node-red';
import { escaped, patternOf, plain } from './route-pattern.ts';

const CHANNEL = 'http.server.request.start';

/** What an http in node listens for. */
export interface Endpoint {
  url: string;
  method: string;
}

/** Does so for the endpoints until the function is called that it returns. */
export function takeBrokenEscapes(RED: NodeAPI, endpoints: () => readonly Endpoint[]): () => void {
  const { httpNodeRoot } = RED.settings as { httpNodeRoot?: unknown };
  const root = typeof httpNodeRoot === 'string' ? plain(httpNodeRoot).replace(/\/$/, '') : '';
  const isOurs = (path: string, method: string): boolean =>
    endpoints().some(
      (endpoint) =>
        endpoint.method.toUpperCase() === (method === 'HEAD' ? 'GET' : method) &&
        new RegExp(`^${escaped(root)}${patternOf(endpoint.url)}$`, 's').test(plain(path)),
    );
  const onRequest = (message: unknown): void => {
    const { request } = message as { request: IncomingMessage };
    const { url = '', method = '' } = request;
    const [path = ''] = url.split(/[?#]/, 1);
    if (isDecodable(path) || !isOurs(path, method)) return;
    const pieces = path
      .split('/')
      .map((piece) => (isDecodable(piece) ? piece : piece.replaceAll('%', '%25')));
    request.url = pieces.join('/') + url.slice(path.length);
  };
  subscribe(CHANNEL, onRequest);
  return () => void unsubscribe(CHANNEL, onRequest);
}

function isDecodable(text: string): boolean {
  try {
    return decodeURIComponent(text) !== undefined;
  } catch {
    return false;
  }
}
