/** A camera of four pictures, and a node for it. */
import type { NodeMessage } from 'node-red';
import { CameraServer } from '../../camera/support/camera-server.ts';
import { jpegOf } from '../../camera/support/jpegs.ts';
import { nodeConfig } from '../support/flows.ts';
import type { NodeConfig } from '../support/red.ts';

export type FrameMessage = NodeMessage & { frame: { camera: string; number: number; time: number } };

/** What it shows, one after the other. */
export const images = await Promise.all([1, 2, 3, 4].map((number) => jpegOf(number)));

export async function startCamera(): Promise<CameraServer> {
  const server = await new CameraServer().start();
  let number = 0;
  server.handler = (_request, response) => void response.end(images[number++ % images.length]);
  return server;
}

/** The node that shows its snapshots, called `door`. */
export function cameraNode(server: CameraServer, properties: object = {}): NodeConfig {
  return nodeConfig('m2fp-camera', 'node', {
    name: 'door',
    address: server.url('/snap.jpg'),
    wires: [['out'], ['out2']],
    ...properties,
  });
}
