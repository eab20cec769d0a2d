/** What the editor asks for to draw previews. Pictures are pulled by who wants them; only their coming is told to all. */
import type { Request, RequestHandler, Response } from 'express';
import type { NodeAPI } from 'node-red';
import { adminHandler, oncePerAdmin, ownJson, ownPages } from '../common/admin.ts';
import type { Preview, Thumbnail } from './preview.ts';

/** What is told of a thumbnail; without a size it is gone. */
export interface PreviewNotice {
  /** The node's id in the editor: inside a sub-flow that of the node in its template. */
  id: string;
  seq: number;
  width?: number;
  height?: number;
  legend?: Thumbnail['legend'];
  /** How many labels there are, also beyond those of the legend. */
  labels?: number;
}

/** A preview that the editor can ask for. */
export interface Shown {
  preview: Preview;
  activate: (active: boolean) => void;
}

/** By the node's id in the editor, which all instances of a sub-flow share: that which drew last is at the end. */
const shown = new Map<string, Shown[]>();

export const TOPIC = 'm2fp-preview';

export function noticeOf(id: string, thumbnail: Thumbnail | null): PreviewNotice {
  if (thumbnail === null) return { id, seq: 0 };
  const { seq, width, height, legend, labels } = thumbnail;
  return { id, seq, width, height, legend, labels };
}

/** Makes `entry` the one that the editor sees for `id`. */
export function present(id: string, entry: Shown): void {
  shown.set(id, [...(shown.get(id) ?? []).filter((other) => other !== entry), entry]);
}

export function withdraw(id: string, entry: Shown): void {
  const rest = (shown.get(id) ?? []).filter((other) => other !== entry);
  if (rest.length === 0) shown.delete(id);
  else shown.set(id, rest);
}

const isFirst = oncePerAdmin();

/** Adds the routes, once. */
export function serveAdmin(RED: NodeAPI): void {
  if (!isFirst(RED)) return;
  const read = [RED.auth.needsPermission('m2fp-preview.read') as RequestHandler, ownPages(RED)];
  const write = [RED.auth.needsPermission('m2fp-preview.write') as RequestHandler, ...ownJson(RED)];

  RED.httpAdmin.get('/m2fp/previews', read, (_request: Request, response: Response) => {
    response.json(
      [...shown]
        .map(([id, entries]) => noticeOf(id, entries.at(-1)?.preview.thumbnail ?? null))
        .filter(({ width }) => width !== undefined),
    );
  });
  RED.httpAdmin.get(
    '/m2fp/previews/:id',
    read,
    answer(async ([{ preview }], response) => {
      const { parsed } = (await preview.detail()) ?? {};
      if (parsed === undefined) return false;
      response.json({ seq: preview.thumbnail?.seq ?? 0, facts: parsed?.facts ?? null });
      return true;
    }),
  );
  RED.httpAdmin.get(
    '/m2fp/previews/:id/thumbnail',
    read,
    answer(async ([{ preview }], response) => sendImage(response, 'image/jpeg', preview.thumbnail?.image)),
  );
  RED.httpAdmin.get(
    '/m2fp/previews/:id/source',
    read,
    answer(async ([{ preview }], response) =>
      sendImage(response, 'image/jpeg', (await preview.detail())?.source.image),
    ),
  );
  RED.httpAdmin.get(
    '/m2fp/previews/:id/maps',
    read,
    answer(async ([{ preview }], response) =>
      sendImage(response, 'image/png', (await preview.detail())?.parsed?.maps.image),
    ),
  );
  RED.httpAdmin.post(
    '/m2fp/previews/:id/:state',
    write,
    answer(async (entries, response, state) => {
      if (state !== 'enable' && state !== 'disable') return false;
      for (const { activate } of entries) activate(state === 'enable');
      response.sendStatus(200);
      return true;
    }),
  );
}

/** Sends the picture; false where there is none. */
function sendImage(response: Response, type: string, image: Buffer | undefined): boolean {
  if (image === undefined) return false;
  response.set({ 'content-type': type, 'cache-control': 'no-store' }).send(image);
  return true;
}

/** 404 where there is no such preview, or `work`, to which the one that drew last comes first, gives false. */
function answer(
  work: (entries: [Shown, ...Shown[]], response: Response, state: string | undefined) => Promise<boolean>,
): RequestHandler {
  return adminHandler(async (request, response) => {
    const { id, state } = request.params as { id: string; state?: string };
    const [latest, ...others] = (shown.get(id) ?? []).toReversed();
    const isFound = latest !== undefined && (await work([latest, ...others], response, state));
    if (!isFound) response.sendStatus(404);
  });
}
