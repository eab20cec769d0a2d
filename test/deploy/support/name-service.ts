/**
 * Keeps alive what answers names for podman. Debian 12's aardvark-dns closes its sockets for each change of a network; two
 * changes close together can leave one closed until the next change (containers/aardvark-dns#389). Then no container finds
 * another one, which no deploy of ours is to blame for: it is told to read its networks once more.
 */
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { isIPv4 } from 'node:net';

/** Where aardvark-dns has a file for each network, which begins with its addresses; podman's of root share it. */
const FOLDER = '/run/containers/networks/aardvark-dns';
const PID_FILE = 'aardvark.pid';
const INTERVAL = 1000;
/** A question for the address of `m2fp.invalid.`; any answer will do. */
const QUESTION = Buffer.from('m2\x01\0\0\x01\0\0\0\0\0\0\x04m2fp\x07invalid\0\0\x01\0\x01', 'latin1');

function addresses(): string[] {
  try {
    return readdirSync(FOLDER)
      .filter((name) => name !== PID_FILE)
      .map((name) => /^[^\s,]*/.exec(readFileSync(join(FOLDER, name), 'utf8'))![0])
      .filter(isIPv4);
  } catch {
    // There is no network now.
    return [];
  }
}

/** Whether something answers there within a second. */
async function answers(address: string): Promise<boolean> {
  const socket = createSocket('udp4');
  try {
    socket.send(QUESTION, 53, address);
    await once(socket, 'message', { signal: AbortSignal.timeout(INTERVAL) });
    return true;
  } catch {
    return false;
  } finally {
    socket.close();
  }
}

/** Looks every second until the function that it returns is called. */
export function watchNameService(): () => void {
  let silent = new Set<string>();
  let looking = false;
  const look = async (): Promise<void> => {
    if (looking) return;
    looking = true;
    const now = new Set<string>();
    for (const address of addresses()) if (!(await answers(address))) now.add(address);
    // Once is no more than a change.
    const stuck = [...now].filter((address) => silent.has(address));
    silent = now;
    looking = false;
    if (stuck.length === 0) return;
    console.error(
      `aardvark-dns does not answer on ${stuck.join(', ')}: it is told to read its networks again`,
    );
    silent.clear();
    try {
      process.kill(Number(readFileSync(join(FOLDER, PID_FILE), 'utf8')), 'SIGHUP');
    } catch {
      // It has ended with the last container.
    }
  };
  const timer = setInterval(() => void look(), INTERVAL);
  timer.unref();
  return () => clearInterval(timer);
}
