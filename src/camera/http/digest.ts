/** Digest access authentication, RFC 7616: MD5 and SHA-256, with and without `-sess`; `qop=auth`, or none as of RFC 2069. */
import { createHash } from 'node:crypto';
import type { Challenge } from './challenge.ts';

/** By the names of the RFC, the strongest first. */
const HASHES: Readonly<Record<string, string>> = {
  'sha-512-256': 'sha512-256',
  'sha-256': 'sha256',
  md5: 'md5',
};

export interface DigestRequest {
  method: string;
  /** Path and query, as they stand in the request. */
  uri: string;
  user: string;
  password: string;
  /** How often this nonce was used, from 1. */
  count: number;
  /** The client's own random text. */
  cnonce: string;
}

/** How strong a challenge is: 0 for one that cannot be answered, more for better. */
export function digestStrength({ parameters }: Challenge): number {
  const algorithm = algorithmOf(parameters);
  const names = Object.keys(HASHES);
  const index = names.indexOf(algorithm.replace(/-sess$/, ''));
  const { qop } = parameters;
  const isAnswerable = qop === undefined || /(^|[\s,])auth($|[\s,])/i.test(qop);
  return index < 0 || !isAnswerable || parameters['nonce'] === undefined ? 0 : names.length - index;
}

/** The value of the header `Authorization`. @param challenge one that {@link digestStrength} finds fit */
export function answerDigest({ parameters }: Challenge, request: DigestRequest): string {
  const { realm = '', nonce = '', opaque, algorithm, qop, userhash } = parameters;
  const { method, uri, user, password, count, cnonce } = request;
  const name = algorithmOf(parameters);
  const hash = (text: string): string =>
    createHash(HASHES[name.replace(/-sess$/, '')]!)
      .update(text)
      .digest('hex');
  const secret = hash(`${user}:${realm}:${password}`);
  const ha1 = name.endsWith('-sess') ? hash(`${secret}:${nonce}:${cnonce}`) : secret;
  const ha2 = hash(`${method}:${uri}`);
  const nc = count.toString(16).padStart(8, '0');
  const response =
    qop === undefined ? hash(`${ha1}:${nonce}:${ha2}`) : hash(`${ha1}:${nonce}:${nc}:${cnonce}:auth:${ha2}`);
  const isHashed = userhash?.toLowerCase() === 'true';
  return `Digest ${[
    `username=${quote(isHashed ? hash(`${user}:${realm}`) : user)}`,
    `realm=${quote(realm)}`,
    `nonce=${quote(nonce)}`,
    `uri=${quote(uri)}`,
    `response="${response}"`,
    ...(algorithm === undefined ? [] : [`algorithm=${algorithm}`]),
    ...(opaque === undefined ? [] : [`opaque=${quote(opaque)}`]),
    ...(qop === undefined ? [] : ['qop=auth', `nc=${nc}`, `cnonce=${quote(cnonce)}`]),
    ...(isHashed ? ['userhash=true'] : []),
  ].join(', ')}`;
}

function algorithmOf(parameters: Challenge['parameters']): string {
  return (parameters['algorithm'] ?? 'md5').toLowerCase();
}

function quote(text: string): string {
  return `"${text.replace(/["\\]/g, '\\$&')}"`;
}
