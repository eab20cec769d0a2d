/** Plays cameras for the bench, in a process of its own: `GET /NUMBER` is an MJPEG stream. Told by a message what to play. */
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface Play {
  frames: Uint8Array[];
  /** Frames a second of each camera. */
  rate: number;
}

let playing: Play = { frames: [], rate: 1 };

function stream(camera: number, response: ServerResponse): void {
  response.writeHead(200, { 'content-type': 'multipart/x-mixed-replace; boundary=frame' });
  // No two cameras show the same at once.
  let next = camera * 7;
  const timer = setInterval(() => {
    const { frames } = playing;
    const image = frames[next++ % frames.length]!;
    response.write(`--frame\r\nContent-Type: image/jpeg\r\nContent-Length: ${image.length}\r\n\r\n`);
    response.write(image);
    response.write('\r\n');
  }, 1000 / playing.rate);
  response.on('close', () => clearInterval(timer));
}

const server = createServer((request, response) => stream(Number(request.url?.slice(1)), response));
server.listen(0, '127.0.0.1', () => process.send!((server.address() as AddressInfo).port));
process.on('message', (play: Play) => {
  playing = play;
  process.send!('ready');
});
process.on('disconnect', () => process.exit());
