/**
 * What the editor draws zones on: the next picture that passes a running node. Nothing is kept: a picture is taken only
 * while an editor waits for one, and goes to those who wait.
 */
import type { Request, RequestHandler, Response } from 'express';
import type { Node, NodeAPI } from 'node-red';
import { imageThumbnail } from '../../src/parsing/colorize/preview.ts';
import { adminHandler, oncePerAdmin, ownPages, refuse } from './admin.ts';

/** Pixels of the longer side. */
const MAX_SIDE = 800;
/** Milliseconds that the editor waits for a picture. */
const PATIENCE = 30_000;
/** Editors that may wait for one node. */
const MAX_WAITING = 10;

/** What gives pictures of one node to the editors that wait for one. */
export interface PictureOffer {
  /** Hands the picture to those who wait, in its own time; does nothing where nobody does. */
  pass(image: Buffer): void;
  /** The node is closed: nobody gets a picture from it any more. */
  close(): void;
}

/** By the node's id in the editor, which all instances of a sub-flow share. */
const offers = new Map<string, Set<Offer>>();

const isFirst = oncePerAdmin();

/**
 * Lets editors ask for the next picture that passes `node`, by `GET m2fp/pictures/<id>`, with the permission
 * `m2fp-pictures.read`: a JPEG of at most 800 pixels, 204 where none passes in half a minute, 404 without such a node.
 */
export function offerPictures(RED: NodeAPI, node: Node & { _alias?: string }): PictureOffer {
  serve(RED);
  // In the editor the nodes of a sub-flow have the ids of its template.
  const id = node._alias ?? node.id;
  const offer = new Offer(() => {
    const rest = offers.get(id);
    rest?.delete(offer);
    if (rest?.size === 0) offers.delete(id);
  });
  offers.set(id, (offers.get(id) ?? new Set()).add(offer));
  return offer;
}

class Offer implements PictureOffer {
  readonly waiting = new Set<Response>();
  readonly #withdraw: () => void;

  constructor(withdraw: () => void) {
    this.#withdraw = withdraw;
  }

  pass(image: Buffer): void {
    if (this.waiting.size === 0) return;
    const responses = [...this.waiting];
    this.waiting.clear();
    void answer(responses, image);
  }

  close(): void {
    this.#withdraw();
    for (const response of this.waiting) endWithout(response);
    this.waiting.clear();
  }
}

async function answer(responses: readonly Response[], image: Buffer): Promise<void> {
  // Of the instances of a sub-flow, another one may have answered.
  const open = responses.filter(({ writableEnded, destroyed }) => !writableEnded && !destroyed);
  try {
    const { image: small } = await imageThumbnail(image, MAX_SIDE);
    for (const response of open)
      if (!response.writableEnded) response.set('cache-control', 'no-store').type('jpeg').send(small);
  } catch (error) {
    for (const response of open) if (!response.writableEnded) refuse(response, error);
  }
}

function endWithout(response: Response): void {
  if (!response.writableEnded) response.sendStatus(204);
}

function serve(RED: NodeAPI): void {
  if (!isFirst(RED)) return;
  const read = [RED.auth.needsPermission('m2fp-pictures.read') as RequestHandler, ownPages(RED)];
  RED.httpAdmin.get(
    '/m2fp/pictures/:id',
    read,
    adminHandler(async (request: Request, response: Response) => {
      const open = [...(offers.get(request.params['id'] as string) ?? [])];
      if (open.length === 0) {
        response.sendStatus(404);
        return;
      }
      if (open.some(({ waiting }) => waiting.size >= MAX_WAITING)) {
        response.sendStatus(429);
        return;
      }
      const timer = setTimeout(() => endWithout(response), PATIENCE);
      response.on('close', () => {
        clearTimeout(timer);
        for (const { waiting } of open) waiting.delete(response);
      });
      for (const { waiting } of open) waiting.add(response);
    }),
  );
}
