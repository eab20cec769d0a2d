/** Servers that are not quite Redis. */
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';

export interface StrangeServer {
  url: string;
  /** Bytes that it has sent. */
  readonly sent: number;
  /** Connections that were made to it. */
  readonly connections: number;
  close(): Promise<void>;
}

/** Calls `serve` for each connection. */
async function listen(
  serve: (socket: Socket, count: (bytes: number) => void) => void,
): Promise<StrangeServer> {
  const sockets = new Set<Socket>();
  let sent = 0;
  let connections = 0;
  const server: Server = createServer((socket) => {
    connections++;
    sockets.add(socket);
    socket.on('error', () => {}).on('close', () => sockets.delete(socket));
    serve(socket, (bytes) => (sent += bytes));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `redis://127.0.0.1:${(server.address() as AddressInfo).port}`,
    get sent() {
      return sent;
    },
    get connections() {
      return connections;
    },
    async close() {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, 'close');
    },
  };
}

const VERSION = '$21\r\nredis_version:7.2.0\r\n\r\n';

/** Answers the first `good` commands of each connection as Redis does, more or less, and all others with `reply`. */
export function answering(reply: string, good: number): Promise<StrangeServer> {
  return listen((socket, count) => {
    let commands = 0;
    socket.on('data', (data) => {
      const text = data.toString('latin1');
      for (const command of text.split(/(?=\*\d+\r\n\$)/)) {
        const known = /info/i.test(command) ? VERSION : '+OK\r\n';
        const answer = ++commands <= good ? known : reply;
        count(answer.length);
        if (socket.writable) socket.write(answer, 'latin1');
      }
    });
  });
}

/** Accepts connections, and never says a word. */
export function silent(): Promise<StrangeServer> {
  return listen((socket) => socket.resume());
}

/** Milliseconds between two pieces: a network has a rate, however fast this machine copies. */
const PACE = 20;

/** Begins an answer that does not end. */
export function endless(begin: string, more: Buffer): Promise<StrangeServer> {
  return listen((socket, count) => {
    socket.write(begin);
    const timer = setInterval(() => {
      if (!socket.writable || socket.writableNeedDrain) return;
      count(more.length);
      socket.write(more);
    }, PACE);
    socket.on('close', () => clearInterval(timer));
  });
}

/** The way to another server, which changes what that one says by `change`. */
export function between(url: string, change: (data: Buffer) => Buffer | null): Promise<StrangeServer> {
  const { hostname, port } = new URL(url);
  return listen((socket, count) => {
    const server = connect(Number(port), hostname);
    server.on('error', () => socket.destroy()).on('close', () => socket.destroy());
    socket.on('close', () => server.destroy());
    socket.on('data', (data) => server.write(data));
    server.on('data', (data) => {
      const changed = change(data);
      count(data.length);
      if (changed === null) socket.destroy();
      else if (socket.writable) socket.write(changed);
    });
  });
}
