/** A client in Python that was written from the OpenAPI document alone, with the example "Parsing service". */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import sharp from 'sharp';
import { twoPeople } from '../support/images.ts';
import { example, NodeRed } from '../support/node-red.ts';
import { requireProgram } from '../support/programs.ts';

const client = join(import.meta.dirname, 'python', 'client.py');

describe('a client in Python', function () {
  this.timeout(120_000);
  let nodeRed: NodeRed;
  before(async () => {
    nodeRed = await NodeRed.start('node-red', example('4 Parsing service'));
  });
  after(() => nodeRed?.stop());

  it('parses a picture, has a job done, fetches its result and deletes it, and is told what is wrong', async () => {
    const picture = join(nodeRed.userDir, 'picture.png');
    writeFileSync(picture, await sharp(twoPeople).resize(224).png().toBuffer());
    const python = requireProgram('python3', 'python3');
    const { stdout } = await promisify(execFile)(python, [
      client,
      `${nodeRed.url}/m2fp/openapi.json`,
      picture,
    ]);
    assert.deepEqual(JSON.parse(stdout), {
      ready: true,
      parsed: [200, 2, true],
      coloured: [200, '89504e47'],
      created: [202, true],
      job: ['done', 2],
      result: [200, true],
      deleted: 204,
      gone: [404, 'M2FP_JOB_NOT_FOUND'],
      picture: [200, 'image/webp', 'RIFF'],
      wrong: [400, 'M2FP_BAD_OPTION', true],
      large: [413, 'M2FP_IMAGE_TOO_LARGE'],
    });
  });
});
