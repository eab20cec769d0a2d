/** Logs in at one server as it asks for it: digest where it can, else basic. */
import { randomBytes } from 'node:crypto';
import type { Credentials } from '../types.ts';
import { type Challenge, readChallenges } from './challenge.ts';
import { answerDigest, digestStrength } from './digest.ts';

export class Login {
  readonly #credentials: Credentials;
  /** What the server asked for last: the next request answers that at once. */
  #challenge: Challenge | undefined;
  #count = 0;

  constructor(credentials: Credentials) {
    this.#credentials = credentials;
  }

  /** The value of `Authorization` for a request; undefined: none. @param uri path and query */
  header(method: string, uri: string): string | undefined {
    const { user = '', password = '', token } = this.#credentials;
    if (token !== undefined && token !== '') return `Bearer ${token}`;
    if (this.#challenge === undefined) return undefined;
    if (this.#challenge.scheme === 'basic') {
      return `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`;
    }
    const cnonce = randomBytes(12).toString('hex');
    return answerDigest(this.#challenge, { method, uri, user, password, cnonce, count: ++this.#count });
  }

  /**
   * Takes the challenge of a server that answered 401.
   * @param header `WWW-Authenticate`
   * @param answered whether the request had an `Authorization`
   * @returns whether the request is worth another try
   */
  learn(header: string | undefined, answered: boolean): boolean {
    const { user, password, token } = this.#credentials;
    const hasLogin = (user ?? '') !== '' || (password ?? '') !== '';
    const challenge = bestOf(readChallenges(header ?? ''));
    if ((token ?? '') !== '' || !hasLogin || challenge === undefined) return false;
    // The same login again is refused again, unless only the nonce has grown old.
    const isStale = challenge.parameters['stale']?.toLowerCase() === 'true';
    const isOther = this.#challenge?.scheme !== challenge.scheme;
    const isNewNonce = challenge.parameters['nonce'] !== this.#challenge?.parameters['nonce'];
    if (answered && !isStale && !isOther && !(isNewNonce && this.#count > 1)) {
      this.#challenge = undefined;
      return false;
    }
    this.#challenge = challenge;
    this.#count = 0;
    return true;
  }
}

function bestOf(challenges: readonly Challenge[]): Challenge | undefined {
  const [digest] = challenges
    .filter((challenge) => challenge.scheme === 'digest' && digestStrength(challenge) > 0)
    .toSorted((a, b) => digestStrength(b) - digestStrength(a));
  return digest ?? challenges.find(({ scheme }) => scheme === 'basic');
}
