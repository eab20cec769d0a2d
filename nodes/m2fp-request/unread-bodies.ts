/**
 * Keeps Node-RED from reading the bodies of our requests. It reads forms and uploads before a flow sees them, as long as
 * they come, and spoils a picture that curl sends as if it were a form. So the type of such a body is put aside before
 * Node-RED looks at it: the body stays unread, and the node reads it, up to its limit.
 */
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Endpoint } from '../common/broken-escapes.ts';
import { escaped, patternOf, plain } from '../common/route-pattern.ts';

/** As Express and its parsers of bodies mark a request. */
interface ExpressRequest extends IncomingMessage {
  baseUrl?: string;
  res?: ServerResponse;
  /** True: a parser of bodies leaves the request alone. */
  _body?: boolean | undefined;
}

/** The route that Express takes. */
interface Route {
  path?: unknown;
  methods?: Record<string, boolean>;
}

const CHANNEL = 'http.server.request.start';
const UNREAD_TYPE = 'application/octet-stream';
const WITH_BODY: ReadonlySet<string | undefined> = new Set(['POST', 'PUT', 'PATCH', 'DELETE']);

/** What a request said of its body, and whether Express has found that it is one of ours. */
const setAside = new WeakMap<IncomingMessage, { type: string; isOurs: boolean }>();

/** What a node listens for, and what is told of each request that comes there. */
interface Listener {
  endpoints: () => readonly Endpoint[];
  onRequest: (response: ServerResponse) => void;
}

const listeners = new Set<Listener>();

/** `httpNodeRoot` of settings.js, which stands in front of all addresses: known from the first request of ours on. */
let root: string | undefined;

/** The type that the body has, blank where none was told; undefined where it was left to Node-RED to read. */
export function typeOfUnread(request: IncomingMessage): string | undefined {
  return setAside.get(request)?.type;
}

/** Leaves the bodies for the listener's endpoints unread, until the function is called that it returns. */
export function leaveUnread(listener: Listener): () => void {
  if (listeners.size === 0) subscribe(CHANNEL, onRequest);
  listeners.add(listener);
  return () => {
    listeners.delete(listener);
    if (listeners.size === 0) unsubscribe(CHANNEL, onRequest);
  };
}

const allEndpoints = (): Endpoint[] => [...listeners].flatMap(({ endpoints }) => endpoints());

/**
 * Whether an address may be one of ours. Express takes addresses that are no URL, too, so this is generous: the editor's
 * part of Node-RED may read a body before the route is known, and is kept from that.
 */
function looksLikeOurs({ url = '', method }: IncomingMessage): boolean {
  const asked = plain(url.split(/[?#]/, 1)[0]!.trim().replaceAll('\\', '/'));
  const isPath = /^\/(?!\/)/.test(asked);
  return allEndpoints().some((endpoint) => {
    if (endpoint.method.toUpperCase() !== method) return false;
    const before = root ?? '';
    const pattern = escaped(before) + patternOf(endpoint.url);
    return new RegExp(`${root !== undefined && isPath ? '^' : ''}(?:${pattern})$`, 's').test(asked);
  });
}

function putAside(request: ExpressRequest): void {
  if (setAside.has(request)) return;
  setAside.set(request, { type: request.headers['content-type'] ?? '', isOurs: false });
  request.headers['content-type'] = UNREAD_TYPE;
  // Also where the http in node takes no uploads, and all else would be read as it comes.
  request._body = true;
}

function putBack(request: ExpressRequest): void {
  const aside = setAside.get(request);
  if (aside === undefined || aside.isOurs) return;
  setAside.delete(request);
  if (aside.type === '') delete request.headers['content-type'];
  else request.headers['content-type'] = aside.type;
  request._body = undefined;
}

/** Those who listen for what the route takes. */
function listenersOf({ path, methods = {} }: Route): Listener[] {
  return [...listeners].filter(({ endpoints }) =>
    endpoints().some(({ url, method }) => path === url && methods[method] === true),
  );
}

function take(request: ExpressRequest, ours: readonly Listener[]): void {
  const { res } = request;
  if (res) for (const { onRequest: tell } of ours) tell(res);
  if (!WITH_BODY.has(request.method)) return;
  root = plain(request.baseUrl ?? '').replace(/^\/$/, '');
  putAside(request);
  setAside.get(request)!.isOurs = true;
}

/** Only the route that Express takes tells for sure whose request it is, so that decides. */
function onRequest(message: unknown): void {
  const { request } = message as { request: ExpressRequest };
  const isLikeOurs = looksLikeOurs(request);
  if (!WITH_BODY.has(request.method)) {
    if (!isLikeOurs) return;
  } else if (isLikeOurs) putAside(request);
  const other = Object.getOwnPropertyDescriptor(request, 'route');
  let taken: Route | undefined;
  Object.defineProperty(request, 'route', {
    configurable: true,
    enumerable: true,
    get: () => taken,
    set: (route: Route | undefined) => {
      // That of a function node which does the same.
      other?.set?.call(request, route);
      taken = route;
      if (!route) return;
      const ours = listenersOf(route);
      if (ours.length > 0) take(request, ours);
      else putBack(request);
    },
  });
}
