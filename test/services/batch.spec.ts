/** A batch whose pictures workers on other machines parse. */
import assert from 'node:assert/strict';
import { cpSync, mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { start } from '../cli/support.ts';
import { root, temporaryFolder } from '../support/installed-package.ts';
import { RedisServer } from './support/redis.ts';
import { startWorker, stopWorker } from './support/worker-command.ts';

const PASSWORD = 'a password of the tests';
const PICTURES = 24;

describe('m2fp parse with workers', function () {
  this.timeout(120_000);
  const folder = temporaryFolder('batch-workers');
  let redis: RedisServer;

  before(async () => {
    redis = await RedisServer.start({ password: PASSWORD });
    mkdirSync(join(folder, 'in'));
    for (let i = 1; i <= PICTURES; i++) {
      const name = `${String(i).padStart(7, '0')}.jpg`;
      cpSync(join(root, 'bench/scenes/Images', name), join(folder, 'in', name));
    }
  });
  after(() => redis?.stop());

  it('loses nothing when one of them is killed', async () => {
    const [first, second] = [await startWorker(redis, PASSWORD), await startWorker(redis, PASSWORD)];
    try {
      const { url, queue } = redis.address;
      const running = start(
        [
          'parse',
          join(folder, 'in'),
          '--out',
          join(folder, 'out'),
          '--redis',
          url,
          '--queue',
          queue,
          '--short-side',
          '64',
        ],
        { M2FP_REDIS_PASSWORD: PASSWORD },
      );
      await running.says('Parsing: 20 %');
      first.kill('SIGKILL');
      const { code, err } = await running.ended;
      assert.equal(code, 0, err);
      assert.match(err, new RegExp(`m2fp: ${PICTURES} done, 0 done before, 0 failed`));
      const lines = readFileSync(join(folder, 'out/report.jsonl'), 'utf8').trim().split('\n');
      assert.equal(new Set(lines.map((line) => (JSON.parse(line) as { file: string }).file)).size, PICTURES);
      assert.equal(lines.length, PICTURES);
    } finally {
      await stopWorker(first);
      await stopWorker(second);
    }
  });
});
