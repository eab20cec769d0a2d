/**
 * The header Idempotency-Key (draft-ietf-httpapi-idempotency-key-header): a client that has no answer sends its request once
 * more under the same key, and gets the job that came of the first one.
 */
import { hash } from 'node:crypto';
import type { NodeMessageInFlow } from 'node-red';
import { digestOf } from '../../src/engine/input-image.ts';
import { M2fpError } from '../../src/errors.ts';
import type { Once } from '../../src/service/jobs/types.ts';

const MAX_LENGTH = 255;

/**
 * What the request is to be kept under; null where it has no key.
 * @param header as it came
 * @param owner whose key it is: equal ones of two clients are two
 * @throws {M2fpError} `M2FP_BAD_OPTION` for a key that is none
 */
export async function onceOf(
  header: unknown,
  owner: string | null,
  image: Buffer,
  msg: NodeMessageInFlow,
): Promise<Once | null> {
  if (header === undefined) return null;
  const key = keyIn(header);
  const { m2fp, webhook } = msg as { m2fp?: unknown; webhook?: unknown };
  const rest = JSON.stringify([m2fp, webhook]) ?? '';
  return {
    key: hash('sha256', JSON.stringify([owner, key])),
    digest: hash('sha256', `${await digestOf(image)} ${rest}`),
  };
}

/** The draft has it in quotes, and most clients send it without. */
function keyIn(header: unknown): string {
  const text = String(header).trim();
  const key = /^"(.*)"$/.exec(text)?.[1] ?? text;
  if (/^[\x20-\x7e]+$/.test(key) && key.length <= MAX_LENGTH) return key;
  throw new M2fpError(
    'M2FP_BAD_OPTION',
    `The header Idempotency-Key must be 1 to ${MAX_LENGTH} characters of ASCII: a UUID, for example.`,
  );
}
