/** The Redis through which workers on other machines get their pictures. */
import { readFile } from 'node:fs/promises';
import type { WorkerAddress } from '../engine/remote/client/transport.ts';
import { asM2fpError, M2fpError } from '../errors.ts';

export const DEFAULT_REDIS = 'redis://127.0.0.1:6379';
export const DEFAULT_QUEUE = 'm2fp';

/**
 * Where workers and their pictures meet, as typed.
 * @param command whose help tells of it
 * @throws M2fpError M2FP_BAD_OPTION
 */
export async function addressOf(
  command: string,
  options: Partial<Record<'redis' | 'queue' | 'password-file', string>>,
): Promise<WorkerAddress> {
  const { M2FP_REDIS_USERNAME: username = '', M2FP_REDIS_PASSWORD: password = '' } = process.env;
  const file = options['password-file'];
  const url = options.redis ?? DEFAULT_REDIS;
  const { username: user = '', password: secret = '' } = URL.parse(url) ?? {};
  if (user !== '' || secret !== '') {
    throw new M2fpError(
      'M2FP_BAD_OPTION',
      '--redis must not hold a user name or password, which everybody on this machine could read: ' +
        `set M2FP_REDIS_USERNAME and M2FP_REDIS_PASSWORD, or name a --password-file (see m2fp ${command} --help)`,
    );
  }
  return {
    url,
    username,
    password: file === undefined ? password : await readPassword(file),
    queue: options.queue ?? DEFAULT_QUEUE,
  };
}

async function readPassword(file: string): Promise<string> {
  let text: string;
  try {
    text = await readFile(file, 'utf8');
  } catch (error) {
    throw asM2fpError(error, 'M2FP_BAD_OPTION', 'The password file cannot be read');
  }
  const password = text.replace(/\r?\n$/, '');
  if (password === '') throw new M2fpError('M2FP_BAD_OPTION', `The password file ${file} is empty`);
  return password;
}
