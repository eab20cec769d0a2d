import type { NodeAPI } from 'node-red';

/** Node-RED's own limit of messages that a node may keep (settings.js); undefined where it sets none. */
export function bufferLimit(RED: Pick<NodeAPI, 'settings'>): number | undefined {
  const limit = (RED.settings as { nodeMessageBufferMaxLength?: unknown }).nodeMessageBufferMaxLength;
  return typeof limit === 'number' && limit > 0 ? limit : undefined;
}
