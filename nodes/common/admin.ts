/** Routes of Node-RED's admin application. */
import type { Request, RequestHandler, Response } from 'express';
import type { NodeAPI } from 'node-red';
import { codeOf, httpStatusOf } from './failure.ts';

/** Bytes of a request to one of our routes: a form with all its fields has less than a tenth of that. */
const MAX_BODY = 64 * 1024;

/** A function that is true once for each admin application: Node-RED may run a node's module twice in one. */
export function oncePerAdmin(): (RED: NodeAPI) => boolean {
  const served = new WeakSet<object>();
  return (RED) => {
    if (served.has(RED.httpAdmin)) return false;
    served.add(RED.httpAdmin);
    return true;
  };
}

/**
 * Lets through what the editor asks itself. Without `adminAuth` a page from anywhere that the user has open could ask as
 * well, and Node-RED 4 even lets it read the answer. Browsers say where a request comes from in headers that pages
 * cannot set.
 *
 * It does not help against a foreign name that is made to point to this machine (DNS rebinding): `adminAuth` does.
 */
export function ownPages(RED: NodeAPI): RequestHandler {
  return (request, response, next) => {
    if (isFromElsewhere(RED, request)) {
      response.status(403).json({
        message:
          'The request comes from the page of another address. Where a proxy stands before Node-RED, let it pass the ' +
          'header Host on as it came.',
      });
    } else next();
  };
}

/**
 * The same for a request that does something; and it must bring JSON, which a form of another page cannot send without
 * asking first.
 */
export function ownJson(RED: NodeAPI): RequestHandler[] {
  return [
    ownPages(RED),
    (request, response, next) => {
      const type = (request.headers['content-type'] ?? '').split(';', 1)[0]!.trim().toLowerCase();
      if (type !== 'application/json') {
        response.status(415).json({ message: 'The request needs the content type application/json.' });
      } else if (bodySize(request) > MAX_BODY) {
        response.status(413).json({ message: `The request is larger than ${MAX_BODY / 1024} KiB.` });
      } else next();
    },
  ];
}

function isFromElsewhere(RED: NodeAPI, { headers }: Request): boolean {
  const site = headers['sec-fetch-site'];
  const { origin, host } = headers;
  // Whoever set up CORS decided who may ask.
  if ((RED.settings as { httpAdminCors?: unknown }).httpAdminCors) return false;
  // Another server of the same machine or domain is the same site; an image or a script of its pages brings no origin.
  if (site !== undefined) return site !== 'same-origin' && site !== 'none';
  // Not a browser, an old one, or a page without TLS of a name: those tell the origin of what does something.
  return origin !== undefined && hostOf(origin) !== host?.toLowerCase();
}

/** Undefined for "null", which is what a page in a sandbox sends. */
function hostOf(origin: string): string | undefined {
  return URL.canParse(origin) ? new URL(origin).host : undefined;
}

/** Node-RED has read the body already, so one without a told length is measured. */
function bodySize({ headers, body }: Request): number {
  const told = Number(headers['content-length']);
  return Number.isFinite(told) ? told : Buffer.byteLength(JSON.stringify(body ?? null));
}

/** Answers with the HTTP status, code and message of an error, and with `more`. */
export function refuse(response: Response, error: unknown, more: object = {}): void {
  const message = error instanceof Error ? error.message : String(error);
  response.status(httpStatusOf(error)).json({ code: codeOf(error), message, ...more });
}

/** What `work` throws is answered with its HTTP status, code and message. */
export function adminHandler(work: (request: Request, response: Response) => Promise<void>): RequestHandler {
  const respond = async (request: Request, response: Response): Promise<void> => {
    try {
      await work(request, response);
    } catch (error) {
      refuse(response, error);
    }
  };
  return (request, response) => {
    void respond(request, response);
  };
}
