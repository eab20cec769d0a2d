/**
 * Signatures of Standard Webhooks 1.0 (https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md):
 * HMAC-SHA256 over the id, the time and the body, so that a receiver knows who sent a call, and that it is none of long ago.
 * Receivers check them with the libraries of that project.
 */
import { createHmac } from 'node:crypto';
import { M2fpError } from '../../../errors.ts';

const PREFIX = 'whsec_';
/** Bytes that the specification has for a secret. */
const [SHORTEST, LONGEST] = [24, 64];

/**
 * The bytes of a secret: `whsec_` and 24 to 64 bytes in base64.
 * @throws {M2fpError} `M2FP_BAD_OPTION`, which does not hold the secret
 */
export function readSecret(text: string): Buffer {
  const [, digits = ''] = /^whsec_([A-Za-z0-9+/]+={0,2})$/.exec(text.trim()) ?? [];
  const key = Buffer.from(digits, 'base64');
  if (key.length >= SHORTEST && key.length <= LONGEST) return key;
  throw new M2fpError(
    'M2FP_BAD_OPTION',
    `The secret of the webhooks must read ${PREFIX} and ${SHORTEST} to ${LONGEST} bytes in base64; ` +
      `this makes one: echo ${PREFIX}$(openssl rand -base64 32)`,
  );
}

/**
 * The headers of a call.
 * @param id of what is told, the same each time that it is sent
 * @param time milliseconds since 1970, when it is sent
 */
export function signedHeaders(key: Buffer, id: string, time: number, body: string): Record<string, string> {
  const seconds = Math.floor(time / 1000);
  const signature = createHmac('sha256', key).update(`${id}.${seconds}.${body}`).digest('base64');
  return {
    'webhook-id': id,
    'webhook-timestamp': String(seconds),
    'webhook-signature': `v1,${signature}`,
  };
}
