import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readBounded } from '../src/bounded-file.ts';
import { openCheckpoint } from '../src/checkpoint/index.ts';
import { convert as convertCommand } from '../src/cli/convert.ts';
import { M2fpError } from '../src/errors.ts';
import { convertCheckpoint } from '../src/store/convert.ts';
import { localCheckpoint } from '../src/store/local.ts';
import { intactManifest, readManifest } from '../src/store/manifest.ts';

const SECRET = 'root:x:0:0:secret';

describe('files of a folder that anybody may have made', function () {
  // Some of these once waited for ever.
  this.timeout(5000);
  let folder: string;
  const at = (name: string) => join(folder, name);
  const fifo = (name: string) => execFileSync('mkfifo', [at(name)]);
  beforeEach(() => (folder = mkdtempSync(join(tmpdir(), 'm2fp-bounded-'))));
  afterEach(() => rmSync(folder, { recursive: true }));

  /** The error, which must hold nothing of the file. */
  const fails = async (work: Promise<unknown>, code: string, message: RegExp) => {
    const error = await work.then(
      () => assert.fail('nothing was refused'),
      (reason: unknown) => reason as M2fpError,
    );
    assert.ok(error instanceof M2fpError, String(error));
    assert.equal(error.code, code);
    assert.match(error.message, message);
    for (let told: unknown = error; told instanceof Error; told = told.cause) {
      assert.doesNotMatch(told.message, /root|secret/);
    }
  };

  before(function () {
    if (process.platform === 'win32') this.skip();
  });

  describe('m2fp.json', () => {
    it('that is a pipe is refused', async () => {
      fifo('m2fp.json');
      await fails(readManifest(folder), 'M2FP_MODEL_INVALID', /m2fp\.json.*not a regular file/);
    });
    it('that is a folder, a device or a socket is refused', async () => {
      mkdirSync(at('m2fp.json'));
      await fails(readManifest(folder), 'M2FP_MODEL_INVALID', /not a regular file/);
      rmSync(at('m2fp.json'), { recursive: true });
      symlinkSync('/dev/zero', at('m2fp.json'));
      await fails(readManifest(folder), 'M2FP_MODEL_INVALID', /not a regular file/);
      rmSync(at('m2fp.json'));
      const server = createServer().listen(at('m2fp.json'));
      await new Promise((resolve) => server.once('listening', resolve));
      await fails(readManifest(folder), 'M2FP_MODEL_INVALID', /not a regular file/);
      server.close();
    });
    it('that is huge is refused unread', async () => {
      writeFileSync(at('m2fp.json'), '{');
      truncateSync(at('m2fp.json'), 2 ** 40);
      await fails(readManifest(folder), 'M2FP_MODEL_INVALID', /more than the .* of any/);
    });
    it('behind a link tells nothing of what it points to', async () => {
      writeFileSync(at('passwd'), SECRET);
      symlinkSync(at('passwd'), at('m2fp.json'));
      await fails(readManifest(folder), 'M2FP_MODEL_INVALID', /not valid JSON/);
      writeFileSync(at('passwd'), JSON.stringify({ format: SECRET }));
      await fails(readManifest(folder), 'M2FP_MODEL_INVALID', /format/);
    });
    it('whose model files are pipes is refused', async () => {
      const file = { size: 0, sha256: 'a'.repeat(64) };
      writeFileSync(
        at('m2fp.json'),
        JSON.stringify({
          format: 1,
          id: 'a',
          digest: 'b',
          kind: 'multi',
          labels: ['Human'],
          humanIndex: 0,
          input: { kind: 'short-side', shortSide: 1, longSide: 1 },
          scoreThreshold: 0.5,
          precision: 'fp32',
          files: { 'model.onnx': file, 'model.onnx.data': file },
        }),
      );
      fifo('model.onnx');
      fifo('model.onnx.data');
      await fails(intactManifest(folder), 'M2FP_MODEL_INVALID', /model\.onnx.*not a regular file/);
    });
  });

  describe('configuration.json', () => {
    const convert = () => convertCheckpoint({ source: folder, out: at('out') });
    beforeEach(() => writeFileSync(at('pytorch_model.pt'), 'x'));

    it('that is a pipe is refused', async () => {
      fifo('configuration.json');
      await fails(convert(), 'M2FP_CHECKPOINT_INVALID', /configuration\.json.*not a regular file/);
      assert.ok(await localCheckpoint(folder, at('store')));
    });
    it('that is huge is refused unread', async () => {
      writeFileSync(at('configuration.json'), '');
      truncateSync(at('configuration.json'), 2 ** 40);
      await fails(convert(), 'M2FP_CHECKPOINT_INVALID', /more than the/);
    });
    it('behind a link tells nothing of what it points to', async () => {
      writeFileSync(at('passwd'), SECRET);
      symlinkSync(at('passwd'), at('configuration.json'));
      await fails(convert(), 'M2FP_CHECKPOINT_INVALID', /not valid JSON/);
    });

    for (const model of [{ type: SECRET }, { classes: SECRET }, { parsing_ins_score_thr: SECRET }]) {
      it(`behind a link tells nothing of ${Object.keys(model)[0]}`, async () => {
        writeFileSync(at('passwd'), SECRET);
        symlinkSync(at('passwd'), at('configuration.json'));
        writeFileSync(at('passwd'), JSON.stringify({ model }));
        await fails(convert(), 'M2FP_CHECKPOINT_INVALID', /model/);
      });
    }

    it('nested without end is refused', async () => {
      writeFileSync(at('configuration.json'), '['.repeat(1_000_000));
      await fails(convert(), 'M2FP_CHECKPOINT_INVALID', /not valid JSON/);
    });
  });

  it('a checkpoint that is a pipe, a folder or a device is refused', async () => {
    fifo('a.pt');
    await fails(openCheckpoint(at('a.pt')), 'M2FP_CHECKPOINT_INVALID', /not a regular file/);
    await fails(openCheckpoint('/dev/zero'), 'M2FP_CHECKPOINT_INVALID', /not a regular file/);
    mkdirSync(at('pytorch_model.pt'));
    await fails(
      convertCheckpoint({ source: folder, out: at('out') }),
      'M2FP_CHECKPOINT_INVALID',
      /is a folder/,
    );
  });

  it('a list of labels that is a pipe or huge is refused', async () => {
    const convert = (labels: string) =>
      convertCommand.run(['x.pt', '--out', at('out'), '--labels', labels], {
        out: process.stdout,
        err: process.stderr,
      });
    fifo('labels.txt');
    await fails(convert(at('labels.txt')), 'M2FP_BAD_OPTION', /not a regular file/);
    writeFileSync(at('passwd'), `[${SECRET}`);
    await fails(convert(at('passwd')), 'M2FP_BAD_OPTION', /not valid JSON/);
    truncateSync(at('passwd'), 2 ** 40);
    await fails(convert(at('passwd')), 'M2FP_BAD_OPTION', /more than the/);
  });

  it('what grows while it is read is cut off', async () => {
    // Files of /proc say that they are empty and are not.
    await assert.rejects(readBounded('/proc/self/status', 16), /more than 16 bytes/);
    assert.match(await readBounded('/proc/self/status', 100_000), /^Name/);
  });
});
