/** Whose an HTTP request is: the parsing request node knows by the API key, and the jobs node asks. */
import { createHash } from 'node:crypto';

/** By the request itself, so that nothing in a message can pretend to be somebody. */
const owners = new WeakMap<object, string>();

/** @param key what tells the client's API key apart from others, see {@link ApiKeys.check} */
export function noteOwner(request: object, key: string): void {
  // It is kept with jobs, from which nobody is to learn the key.
  owners.set(request, createHash('sha256').update(`owner of jobs ${key}`).digest('base64url').slice(0, 22));
}

/** Undefined where no key was asked for. */
export function ownerOf(request: object | undefined): string | undefined {
  return request && owners.get(request);
}
