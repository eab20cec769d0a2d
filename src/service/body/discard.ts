/**
 * What is done with a request that is refused before all of it has come. Many clients read no answer before they have sent
 * everything, and lose it where the connection breaks under them. So the answer goes out at once, and what still comes is thrown
 * away for a while, as nginx does (lingering_close, with its times).
 */
import type { IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import { type Clock, systemClock } from '../../clock.ts';

/** Milliseconds in all. */
const LINGER = 30_000;
/** Milliseconds of silence. */
const SILENCE = 5000;
/** Bytes: ten times the largest body that services take at first, and then some. */
const MOST = 1024 * 1024 * 1024;

/** Throws away what comes of the request, up to a bound; the connection is closed then, or when all of it has come. */
export function discardRest(
  request: IncomingMessage,
  { clock = systemClock, most = MOST }: { clock?: Clock; most?: number } = {},
): void {
  if (request.complete || request.destroyed) return;
  const { socket } = request;
  const settle = keepOpen(socket);
  const cut = (): void => void socket.destroy();
  const inAll = clock.after(LINGER, cut, { background: true });
  let silence = clock.after(SILENCE, cut, { background: true });
  let bytes = 0;
  request.on('data', (chunk: Buffer) => {
    bytes += chunk.length;
    silence.cancel();
    if (bytes > most) return cut();
    silence = clock.after(SILENCE, cut, { background: true });
  });
  const over = (): void => {
    inAll.cancel();
    silence.cancel();
    socket.off('close', over);
    settle();
  };
  request.once('end', over);
  // Of a request that was answered, Node.js tells nothing when its connection breaks.
  socket.once('close', over);
}

/**
 * Keeps Node.js from closing the connection behind the answer where the client wants no other one (`Connection: close`, as
 * Python's urllib and nginx send it): only our own half is closed then.
 * @returns the function that lets it close
 */
function keepOpen(socket: Socket): () => void {
  let isAnswered = false;
  socket.destroySoon = () => {
    isAnswered = true;
    socket.end();
  };
  return () => {
    // The prototype's is there again.
    Reflect.deleteProperty(socket, 'destroySoon');
    if (isAnswered) socket.destroySoon();
  };
}
