/** Routes of Node-RED's admin application. */
import type { Request, RequestHandler, Response } from 'express';
import type { NodeAPI } from 'node-red';
import { codeOf, httpStatusOf } from './failure.ts';

/** A function that is true once for each admin application: Node-RED may run a node's module twice in one. */
export function oncePerAdmin(): (RED: NodeAPI) => boolean {
  const served = new WeakSet<object>();
  return (RED) => {
    if (served.has(RED.httpAdmin)) return false;
    served.add(RED.httpAdmin);
    return true;
  };
}

/** What `work` throws is answered with its HTTP status, code and message. */
export function adminHandler(work: (request: Request, response: Response) => Promise<void>): RequestHandler {
  const respond = async (request: Request, response: Response): Promise<void> => {
    try {
      await work(request, response);
    } catch (error) {
      const message = error instanceof Error ? error.message : String(error);
      response.status(httpStatusOf(error)).json({ code: codeOf(error), message });
    }
  };
  return (request, response) => {
    void respond(request, response);
  };
}
