/** What the form asks Node-RED: one picture of the camera that it describes. */
import type { RequestHandler } from 'express';
import type { NodeAPI } from 'node-red';
import type { Ffmpeg } from '../../src/ffmpeg.ts';
import { M2fpError } from '../../src/errors.ts';
import { loadSharp } from '../../src/image/sharp.ts';
import { imageThumbnail } from '../../src/parsing/colorize/preview.ts';
import { isRecord } from '../../src/parsing/options/options.ts';
import { adminHandler, oncePerAdmin, ownJson } from '../common/admin.ts';
import { completed, variableIn } from '../common/stored-form.ts';
import { type CameraConfig, type CameraCredentials, FIELDS, readSettings } from './config.ts';
import { openSource, tlsOf } from './open-camera.ts';

/** What the editor shows in place of a password. */
const UNCHANGED = '__PWRD__';
/** Pixels of the longer side of what the form shows. */
const MAX_SIDE = 480;

/** What the form is answered. */
export interface TriedCamera {
  /** A data URL. */
  image: string;
  /** Pixels, of the picture as one sees it. */
  width: number;
  height: number;
  /** As the camera sent it. */
  bytes: number;
  /** Milliseconds until it was there. */
  time: number;
  /** Of ffmpeg, where that reads the camera. */
  ffmpeg: string | null;
}

const isFirst = oncePerAdmin();

/** Adds the route, once. */
export function serveAdmin(RED: NodeAPI): void {
  if (!isFirst(RED)) return;
  RED.httpAdmin.post(
    '/m2fp/cameras/try',
    RED.auth.needsPermission('m2fp-camera.write') as RequestHandler,
    ...ownJson(RED),
    adminHandler(async (request, response) => {
      const abort = new AbortController();
      response.on('close', () => abort.abort(new Error('The form was closed.')));
      response.json(await tryCamera(RED, request.body, abort.signal));
    }),
  );
}

async function tryCamera(RED: NodeAPI, body: unknown, signal: AbortSignal): Promise<TriedCamera> {
  if (!isRecord(body)) throw new M2fpError('M2FP_BAD_OPTION', 'The request brings no values of the form.');
  const config = completed(FIELDS, withVariables(RED, body) as unknown as CameraConfig);
  const settings = { ...readSettings(config), paced: false, rate: 0, loop: false };
  const credentials = enteredCredentials(RED, body);
  let ffmpeg: Ffmpeg | undefined;
  const source = openSource(settings, credentials, tlsOf(RED, config.tls), (found) => (ffmpeg = found));
  const began = performance.now();
  const frames = source.open(signal);
  try {
    const { value } = await frames.next();
    if (value === undefined) throw new M2fpError('M2FP_CAMERA_OFFLINE', 'There is no picture in it.');
    const time = Math.round(performance.now() - began);
    const { image } = await imageThumbnail(value, MAX_SIDE);
    const { autoOrient } = await (await loadSharp())(value).metadata();
    const url = `data:image/jpeg;base64,${image.toString('base64')}`;
    return { image: url, ...autoOrient, bytes: value.length, time, ffmpeg: ffmpeg?.version ?? null };
  } finally {
    await frames.return();
  }
}

/** The form with the values of those fields that are one environment variable, as Node-RED does when it deploys. */
function withVariables(RED: NodeAPI, body: Record<string, unknown>): Record<string, unknown> {
  const node = RED.nodes.getNode(String(body['id'])) ?? {};
  const valueOf = (field: unknown): unknown => {
    const name = variableIn(field);
    return name === undefined ? field : (RED.util.getSetting(node, name) ?? field);
  };
  return Object.fromEntries(Object.entries(body).map(([name, field]) => [name, valueOf(field)]));
}

/**
 * The credentials of the form; those that it does not show are the deployed node's, and go to the deployed node's camera only.
 * @throws {M2fpError} `M2FP_BAD_OPTION` where they would go elsewhere
 */
function enteredCredentials(RED: NodeAPI, body: Record<string, unknown>): CameraCredentials {
  const { id, address, credentials } = body;
  const given = isRecord(credentials) ? credentials : {};
  const known = (RED.nodes.getCredentials(String(id)) ?? {}) as CameraCredentials;
  const read = (name: keyof CameraCredentials): string => {
    const value = given[name];
    if (value !== UNCHANGED) return typeof value === 'string' ? value : '';
    if (hostOf(String(address)) === hostOf(deployedAddress(RED, String(id)))) return known[name] ?? '';
    throw new M2fpError(
      'M2FP_BAD_OPTION',
      'The address is another one than that for which the password was entered: enter the password once more, or deploy.',
    );
  };
  return { user: read('user'), password: read('password'), token: read('token') };
}

function deployedAddress(RED: NodeAPI, id: string): string {
  let found = '';
  RED.nodes.eachNode((node) => {
    const { address } = node as { address?: unknown };
    if (node.id === id && typeof address === 'string') found = address;
  });
  return found;
}

function hostOf(address: string): string {
  return URL.parse(address.trim())?.host || address;
}
