import assert from 'node:assert/strict';
import { checkWorkerAddress, completeRemoteOptions } from '../../../src/engine/index.ts';
import type { WorkerAddress } from '../../../src/engine/remote/client/transport.ts';
import { ADDRESS } from '../support/fake-link.ts';

const LOCAL: WorkerAddress = { url: 'redis://localhost', username: '', password: '', queue: 'm2fp' };

describe('the options of a remote engine', () => {
  function refused(change: object, message: RegExp): void {
    assert.throws(
      () => completeRemoteOptions({ address: { ...ADDRESS, ...change } }),
      (error: Error & { code?: string }) => {
        assert.equal(error.code, 'M2FP_BAD_OPTION', error.message);
        assert.match(error.message, message);
        assert.doesNotMatch(error.message, /secret/);
        return true;
      },
    );
  }

  it('are filled in', () => {
    assert.deepEqual(completeRemoteOptions({ address: ADDRESS }), {
      address: ADDRESS,
      maxQueue: 32,
      timeout: 60_000,
      cacheSize: 0,
      connectTimeout: 3000,
      maxBytes: 32 * 2 ** 20,
      maxPixels: 64_000_000,
    });
    const limits = { maxBytes: 1000, maxPixels: 2000 };
    const given = { address: LOCAL, maxQueue: 1, timeout: 0, cacheSize: 2, connectTimeout: 0, ...limits };
    assert.deepEqual(completeRemoteOptions(given), given);
  });

  it('make equal addresses equal', () => {
    assert.equal(checkWorkerAddress({ ...LOCAL, url: 'redis://localhost/' }).url, 'redis://localhost');
  });

  for (const url of [
    'redis://localhost',
    'redis://localhost/2',
    'rediss://broker.example:6380',
    'redis://[::1]:6379',
  ]) {
    it(`take ${url}`, () => {
      assert.equal(checkWorkerAddress({ ...LOCAL, url }).url, url);
    });
  }

  it('refuse what is no address of Redis', () => {
    for (const url of [
      '',
      'broker',
      'broker:6379',
      'redis:broker',
      'redis://',
      'http://broker',
      'redis://broker/x',
    ]) {
      refused({ url }, /redis:\/\/HOST:PORT/);
    }
  });

  it('refuse a name or password in the address, and do not repeat it', () => {
    for (const url of ['redis://me:secret@broker', 'redis://:secret@broker', 'secret@broker']) {
      refused({ url }, /url .* enter them in their own fields/);
    }
  });

  it('refuse other names of queues, and what is no text', () => {
    for (const queue of ['', 'a queue', 'a:b', '{a}', 'a/b', 'ä', 'a'.repeat(65)])
      refused({ queue }, /queue/);
    for (const name of ['url', 'username', 'password', 'queue'])
      refused({ [name]: undefined }, new RegExp(`"${name}" is undefined; allowed: a text`));
  });

  for (const name of ['maxQueue', 'timeout', 'cacheSize', 'connectTimeout']) {
    it(`refuse a ${name} out of range, naming it`, () => {
      assert.throws(
        () => completeRemoteOptions({ address: ADDRESS, [name]: -1 }),
        new RegExp(`"${name}" is .*; allowed: a whole number`),
      );
    });
  }
});
