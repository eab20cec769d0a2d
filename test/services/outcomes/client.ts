/** Clients that see all that becomes of a request: an answer, or a connection that ends without one. */
import { request as httpRequest } from 'node:http';
import type { Random } from '../support/random.ts';

export interface Order {
  method?: 'GET' | 'POST' | 'DELETE';
  path: string;
  body?: Buffer;
  headers?: Record<string, string>;
  /** When the client goes away, where it does not wait for the answer. */
  leaves?: Leaving;
}

/** After a share of the body, or after milliseconds of waiting for the answer. */
export type Leaving = { afterShare: number } | { afterMs: number };

export type Outcome =
  | { end: 'answer'; status: number; code: string; type: string; body: Buffer }
  /** The server ended the connection. */
  | { end: 'closed'; why: string }
  /** The client did. */
  | { end: 'left' }
  /** Neither did, for as long as anybody would wait. */
  | { end: 'silence' };

/** Longer than all that anybody waits for: the model's time limit, and a minute of a lost worker's picture. */
const PATIENCE = 90_000;

/** Resolves to the one outcome; never rejects. */
export function ask(url: string, order: Order): Promise<Outcome> {
  const { method = 'POST', path, body, leaves, headers } = order;
  return new Promise((resolve) => {
    const timers: NodeJS.Timeout[] = [];
    const settle = (outcome: Outcome): void => {
      for (const timer of timers) clearTimeout(timer);
      resolve(outcome);
    };
    const request = httpRequest(url + path, {
      method,
      agent: false,
      headers: { ...headers, ...(body && { 'content-length': body.length }) },
    });
    const end = (outcome: Outcome): void => {
      settle(outcome);
      request.destroy();
    };
    const leaveAfter = (ms: number): void => void timers.push(setTimeout(end, ms, { end: 'left' }));
    timers.push(setTimeout(end, PATIENCE, { end: 'silence' }));
    request.on('error', (error) => settle({ end: 'closed', why: error.message }));
    request.on('response', (response) => {
      const pieces: Buffer[] = [];
      response.on('data', (piece: Buffer) => pieces.push(piece));
      response.on('error', (error) => settle({ end: 'closed', why: error.message }));
      response.on('end', () => {
        if (!response.complete) return settle({ end: 'closed', why: 'in the middle of the answer' });
        const answer = Buffer.concat(pieces);
        const type = (response.headers['content-type'] ?? '').split(';', 1)[0]!;
        settle({
          end: 'answer',
          status: response.statusCode!,
          code: codeIn(answer, type),
          type,
          body: answer,
        });
      });
    });
    if (leaves && 'afterShare' in leaves) {
      request.flushHeaders();
      const part = body?.subarray(0, Math.floor(body.length * leaves.afterShare));
      request.write(part ?? '', () => leaveAfter(0));
    } else {
      request.end(body);
      if (leaves) leaveAfter(leaves.afterMs);
    }
  });
}

/** Of a problem, or of what is answered where the flow that would do so is gone. */
function codeIn(body: Buffer, type: string): string {
  if (!/json/.test(type)) return '';
  try {
    const { code, error } = JSON.parse(body.toString()) as {
      code?: string;
      error?: { code?: string } | null;
    };
    return code ?? error?.code ?? '';
  } catch {
    return '';
  }
}

/** A moment of a picture's way: while it is sent, while it waits, while it is parsed. */
export function anyLeaving(random: Random): Leaving {
  return random.next() < 0.5 ? { afterShare: random.next() } : { afterMs: random.below(300) };
}
