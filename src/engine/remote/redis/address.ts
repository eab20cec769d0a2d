/** Addresses of Redis, and what goes wrong there in words. Passwords come into neither. */
import { isIP } from 'node:net';
import { M2fpError } from '../../../errors.ts';
import type { WorkerAddress } from '../client/transport.ts';

const DEFAULT_PORT = 6379;

/** An address as ioredis takes it. */
export interface RedisAddress {
  host: string;
  port: number;
  db: number;
  username?: string;
  password?: string;
  /** There where the connection is encrypted. */
  tls?: { servername?: string };
}

/**
 * @throws {M2fpError} `M2FP_BAD_OPTION` for an address that is none, or that holds a password: URLs are shown and logged
 */
export function redisAddress({ url, username, password }: WorkerAddress): RedisAddress {
  const parsed = URL.parse(url);
  const database = parsed?.pathname.replace(/^\/|\/$/g, '') ?? '';
  const known = parsed !== null && ['redis:', 'rediss:'].includes(parsed.protocol) && parsed.hostname !== '';
  if (!known || !/^\d*$/.test(database) || parsed.search !== '' || parsed.hash !== '') {
    // Not the text itself: there may be a password in it.
    throw new M2fpError(
      'M2FP_BAD_OPTION',
      'The address of Redis must read redis://HOST:PORT, rediss://HOST:PORT (with TLS), or end in the number of a database, /0.',
    );
  }
  if (parsed.username !== '' || parsed.password !== '') {
    throw new M2fpError(
      'M2FP_BAD_OPTION',
      'The address of Redis must not hold a user name or password: addresses are shown and logged. They are told apart from it.',
    );
  }
  const host = parsed.hostname.replace(/^\[|\]$/g, '');
  return {
    host,
    port: parsed.port === '' ? DEFAULT_PORT : Number(parsed.port),
    db: Number(database),
    ...(username !== '' && { username }),
    ...(password !== '' && { password }),
    ...(parsed.protocol === 'rediss:' && { tls: isIP(host) === 0 ? { servername: host } : {} }),
  };
}

/** Whether there is no Redis, or one that answers and takes no changes; `full` is the latter for want of memory. */
export type RedisTrouble = 'lost' | 'refuses' | 'full';

/** Redis is not to be had, or not as it is needed: not that nobody works behind it. */
export class RedisFailure extends M2fpError {
  readonly trouble: RedisTrouble;

  constructor(message: string, trouble: RedisTrouble = 'lost', options?: ErrorOptions) {
    super('M2FP_ENGINE_UNAVAILABLE', message, options);
    this.trouble = trouble;
  }

  /** What the health calls it. */
  get reason(): 'redis-lost' | 'redis-refuses' {
    return this.trouble === 'lost' ? 'redis-lost' : 'redis-refuses';
  }
}

/** What the certificate check says; there are more, and those say `certificate` in their message. */
const CERTIFICATE_CODES = [
  'CERT_HAS_EXPIRED',
  'DEPTH_ZERO_SELF_SIGNED_CERT',
  'ERR_TLS_CERT_ALTNAME_INVALID',
  'SELF_SIGNED_CERT_IN_CHAIN',
  'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
];

/**
 * What is wrong between here and `url`, with what helps; `error` is undefined where a connection just ended. It does not
 * become the cause: with ioredis' errors come the arguments of the command, the password among them.
 */
export function connectionFailure(error: unknown, url: string): RedisFailure {
  return new RedisFailure(sentence(error, url), troubleOf(error));
}

/** Why Redis takes no changes, of whomever; null where a command failed for another reason. */
export function refusalOf(error: unknown, url: string): RedisFailure | null {
  return troubleOf(error) === 'lost' ? null : connectionFailure(error, url);
}

/** The first words of what a Redis says that takes no changes at the moment; a script has a "-" before them, our sentences a bracket. */
const REFUSALS = /(?:^|\s-|\()(OOM|READONLY|MISCONF|NOREPLICAS|MASTERDOWN|CLUSTERDOWN|LOADING|BUSY)\b/;

/** Such a word, in what Redis says or in what we say of it; undefined where there is none. */
export function refusalIn(text: string): string | undefined {
  return REFUSALS.exec(text)?.[1];
}

function troubleOf(error: unknown): RedisTrouble {
  const word = error === undefined ? undefined : refusalIn(fields(error).message);
  if (word === undefined) return 'lost';
  return word === 'OOM' ? 'full' : 'refuses';
}

/** What such a word means, and what helps. */
const REFUSED: Readonly<Record<string, string>> = {
  READONLY: 'is a replica that takes no changes: name the address of its primary.',
  MISCONF: 'takes no changes because it cannot save to its disk: mend that, or turn saving off.',
  NOREPLICAS:
    'takes no changes because too few of its replicas are there: start them, or ask it for fewer (min-replicas-to-write).',
  MASTERDOWN:
    'is a replica that has lost its primary, and takes no changes: name the address of the primary.',
  CLUSTERDOWN: 'is part of a cluster that takes no changes: mend the cluster.',
  LOADING: 'is still reading its data.',
  BUSY: "is held up by somebody's script: end it (SCRIPT KILL).",
};

/** Characters of what Redis says: it may be anything. */
const MAX_WORDS = 300;

function sentence(error: unknown, url: string): string {
  if (error === undefined) return `The connection to Redis at ${url} is lost.`;
  const { name, message, code } = fields(error);
  // A Redis without TLS waits for more of what it takes for a command.
  const tls = url.startsWith('rediss:') ? ', or not with TLS' : '';
  if (code === 'ECONNREFUSED')
    return `Nobody answers at ${url}: is Redis running there? (connection refused)`;
  if (code === 'ENOTFOUND' || code === 'EAI_AGAIN')
    return `There is no machine of the name in ${url}. (${code})`;
  if (code === 'ETIMEDOUT' || name === 'TimeoutError' || message.startsWith('Socket timeout'))
    return `Redis at ${url} does not answer${tls}: is the way there blocked? (timeout)`;
  if (/WRONGPASS|invalid (username-)?password/i.test(message)) {
    return `Redis at ${url} refuses the user name or password.`;
  }
  if (message.includes('NOAUTH')) return `Redis at ${url} wants a password, and none is set.`;
  if (message.includes('NOPERM')) return `Redis at ${url} does not allow its user what is needed: ${message}`;
  const word = refusalIn(message);
  if (word === 'OOM' || message.includes('maxmemory')) {
    return `Redis at ${url} has no memory left: give it more (maxmemory), or send fewer or smaller pictures. (${message})`;
  }
  const refused = word === undefined ? undefined : REFUSED[word];
  if (refused !== undefined) return `Redis at ${url} ${refused} (${message})`;
  // A number of a script's own is read from one of our keys.
  if (/WRONGTYPE|value is not an integer|value is not a valid float|hash value is not/.test(message)) {
    return `Somebody else has put something under the keys of the queue on Redis at ${url}: delete it, or name another queue. (${message})`;
  }
  if (/Protocol error|RESP type|Invalid array length|call stack/.test(message))
    return `What answers at ${url} is not Redis.`;
  if (CERTIFICATE_CODES.includes(code) || /certificate/i.test(message)) {
    return `The certificate of ${url} is not trusted: NODE_EXTRA_CA_CERTS names a file with its authority. (${message})`;
  }
  if (code === 'EPROTO' || code.startsWith('ERR_SSL')) {
    return `What answers at ${url} does not speak TLS: does the address begin with redis://? (${message})`;
  }
  if (code === 'ECONNRESET' || code === 'EPIPE' || message.includes('Connection is closed')) {
    return `The connection to Redis at ${url} was closed; where it is at once, Redis may want TLS (rediss://), or another address.`;
  }
  return `Redis at ${url} cannot be used: ${message}`;
}

/** Of a transaction, why it was given up. That may be another transaction, or this one: it is looked at once. */
function reasonOf(error: unknown): unknown {
  if (!(error instanceof Error) || !('previousErrors' in error)) return error;
  const { previousErrors } = error;
  return Array.isArray(previousErrors) ? ((previousErrors as unknown[])[0] ?? error) : error;
}

function fields(failed: unknown): { name: string; message: string; code: string } {
  const error = reasonOf(failed);
  if (!(error instanceof Error)) return { name: '', message: String(error).slice(0, MAX_WORDS), code: '' };
  const { name, message, code } = error as NodeJS.ErrnoException;
  const words = message.split(/[\r\n]/, 1)[0]!.slice(0, MAX_WORDS);
  return { name, message: words, code: typeof code === 'string' ? code : '' };
}
