/** Whether anybody still waits for the answer to an HTTP message. */
import type { ServerResponse } from 'node:http';
import type { NodeMessageInFlow } from 'node-red';
import { M2fpError } from '../../src/errors.ts';

/**
 * Calls `onGone`, at most once, when the client of a message from an HTTP In node closes the connection before
 * it has its answer; other messages have no client. Returns the function that ends the watch.
 */
export function whenClientGone(msg: NodeMessageInFlow, onGone: (error: M2fpError) => void): () => void {
  const response = responseOf(msg);
  if (response === undefined) return () => {};

  const onClose = (): void => {
    if (response.writableEnded) return;
    onGone(
      new M2fpError('M2FP_CANCELLED', 'The HTTP client closed the connection before the answer was ready.'),
    );
  };
  if (response.destroyed) onClose();
  else response.once('close', onClose);
  return () => {
    response.off('close', onClose);
  };
}

/** True where somebody waits for an answer over HTTP, so that the message must not end without one. */
export function hasClient(msg: NodeMessageInFlow): boolean {
  return typeof msg['res'] === 'object' && msg['res'] !== null;
}

/** The response that the core HTTP In node wraps into `msg.res`. */
function responseOf(msg: NodeMessageInFlow): ServerResponse | undefined {
  const wrapper = msg['res'];
  if (typeof wrapper !== 'object' || wrapper === null) return undefined;
  const response = (wrapper as { _res?: Partial<ServerResponse> })._res;
  return typeof response?.once === 'function' ? (response as ServerResponse) : undefined;
}
