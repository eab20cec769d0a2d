import assert from 'node:assert/strict';
import { cpSync, mkdirSync, mkdtempSync, readdirSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { convertInProcess, type ConvertProcessOptions } from '../../src/store/convert-process.ts';
import { convertCheckpoint } from '../../src/store/convert.ts';
import { readManifest } from '../../src/store/manifest.ts';
import { goldenFolder } from '../support/golden.ts';

describe('converting in a process of its own', () => {
  let folder = '';
  before(() => (folder = mkdtempSync(join(tmpdir(), 'm2fp-convert-process-'))));
  after(() => rmSync(folder, { recursive: true }));
  beforeEach(() => {
    rmSync(join(folder, 'out'), { recursive: true, force: true });
    mkdirSync(join(folder, 'out'));
  });
  const out = () => join(folder, 'out', 'model');
  const convert = (options: Partial<ConvertProcessOptions> = {}) =>
    convertInProcess({ source: goldenFolder('multi'), out: out(), ...options });

  /** Converts with a program in place of ours. */
  function withProgram(program: string, options: Partial<ConvertProcessOptions> = {}) {
    const entry = join(folder, 'program.mjs');
    writeFileSync(entry, program);
    return convert({ ...options, entry });
  }

  it('makes the model that convertCheckpoint makes, and tells its progress', async () => {
    const shares: number[] = [];
    const { manifest, warnings } = await convert({
      id: 'own name',
      precision: 'fp16',
      onProgress: (share) => shares.push(share),
    });
    const direct = await convertCheckpoint({
      source: goldenFolder('multi'),
      out: join(folder, 'direct'),
      id: 'own name',
      precision: 'fp16',
    });
    assert.deepEqual(manifest, direct.manifest);
    assert.deepEqual(warnings, direct.warnings);
    assert.deepEqual(await readManifest(out()), manifest);
    assert.ok(shares.length > 10 && shares.length <= 101, `${shares.length} messages`);
    assert.deepEqual(
      shares,
      shares.toSorted((a, b) => a - b),
    );
    assert.equal(shares.at(-1), 1);
  });

  it('keeps the code of an error', async () => {
    const file = join(folder, 'cut.pt');
    cpSync(join(goldenFolder('multi'), 'pytorch_model.pt'), file);
    truncateSync(file, 100_000);
    await assert.rejects(convert({ source: file }), { code: 'M2FP_CHECKPOINT_INVALID', message: /cut\.pt/ });
    await assert.rejects(convert({ shortSide: 3 }), { code: 'M2FP_BAD_OPTION' });
    await assert.rejects(convert({ source: join(folder, 'none') }), { code: 'M2FP_MODEL_NOT_FOUND' });
    assert.deepEqual(readdirSync(join(folder, 'out')), []);
  });

  it('is killed by an abort, and leaves nothing', async () => {
    const controller = new AbortController();
    const cancelled = convert({ signal: controller.signal, onProgress: () => controller.abort() });
    await assert.rejects(cancelled, { code: 'M2FP_CANCELLED' });
    assert.deepEqual(readdirSync(join(folder, 'out')), []);
    await assert.rejects(convert({ signal: controller.signal }), { code: 'M2FP_CANCELLED' });
  });

  it('is killed by an abort where it hangs', async () => {
    const controller = new AbortController();
    const hanging = `
      process.once('message', () => {
        process.send({ type: 'progress', share: 0.5 });
        setTimeout(() => { for (;;); });
      });`;
    const cancelled = withProgram(hanging, {
      signal: controller.signal,
      onProgress: () => controller.abort(),
    });
    await assert.rejects(cancelled, { code: 'M2FP_CANCELLED' });
  });

  it('leaves none of the folders that it made where it fails or is killed', async () => {
    const deep = join(folder, 'out', 'a', 'b', 'model');
    await assert.rejects(convert({ out: deep, source: join(folder, 'none') }));
    const controller = new AbortController();
    const cancelled = convert({
      out: deep,
      signal: controller.signal,
      onProgress: () => controller.abort(),
    });
    await assert.rejects(cancelled, { code: 'M2FP_CANCELLED' });
    assert.deepEqual(readdirSync(join(folder, 'out')), []);
    await convert({ out: deep });
    assert.equal((await readManifest(deep)).kind, 'multi');
  });

  for (const [name, program, message] of [
    ['with its exit code', "process.once('message', () => process.exit(7));", /exited with code 7\./],
    [
      'with its signal',
      "process.once('message', () => process.kill(process.pid, 'SIGKILL'));",
      /signal SIGKILL.*out of memory/,
    ],
    [
      'with its last words',
      "process.once('message', () => { throw new Error('no luck'); });",
      /exited with code 1\. Its last words: [^]*no luck/,
    ],
    ['where it ends without an answer', "process.once('message', () => process.disconnect());", /code 0\./],
  ] as const) {
    it(`tells of a crash ${name}`, async () => {
      await assert.rejects(withProgram(program), { code: 'M2FP_ENGINE_CRASHED', message });
    });
  }

  it('removes what a crashed process has left', async () => {
    const program = `
      import { writeFileSync } from 'node:fs';
      process.once('message', ({ out, into }) => {
        writeFileSync(\`\${into}/model.onnx\`, 'half');
        writeFileSync(\`\${out}.of-another\`, '');
        process.exit(1);
      });`;
    await assert.rejects(withProgram(program), { code: 'M2FP_ENGINE_CRASHED' });
    assert.deepEqual(readdirSync(join(folder, 'out')), ['model.of-another']);
  });

  it('passes on errors that are not ours as a failure of the process', async () => {
    const program = `
      process.once('message', () => {
        process.send({ type: 'error', error: { name: 'Error', code: 'EIO', message: 'EIO: i/o error' } });
        process.disconnect();
      });`;
    await assert.rejects(withProgram(program), { code: 'M2FP_ENGINE_CRASHED', message: /EIO/ });
  });

  it('says what to do where its process met a full disk, or one that can only be read', async () => {
    const failing = (code: string) => `
      process.once('message', () => {
        process.send({ type: 'error', error: { name: 'Error', code: '${code}', message: '${code}: write' } });
        process.disconnect();
      });`;
    await assert.rejects(withProgram(failing('ENOSPC')), {
      code: 'M2FP_MODEL_INVALID',
      message: /became full while the model was written\. Nothing was changed/,
    });
    await assert.rejects(withProgram(failing('EROFS')), {
      code: 'M2FP_BAD_OPTION',
      message: `${out()} is on a file system that can only be read: name another folder`,
    });
  });

  /** Writes all files of a model, says so, and then does `rest`. */
  const writing = (rest: string) => `
    import { writeFileSync } from 'node:fs';
    process.once('message', ({ into }) => {
      for (const name of ['model.onnx.data', 'model.onnx', 'm2fp.json']) writeFileSync(into + '/' + name, 'new');
      process.send({ type: 'progress', share: 1 });
      ${rest}
    });`;

  it('leaves nothing where an abort comes when all files are written', async () => {
    const controller = new AbortController();
    const cancelled = withProgram(writing('setInterval(() => {}, 1000);'), {
      signal: controller.signal,
      onProgress: () => controller.abort(),
    });
    await assert.rejects(cancelled, { code: 'M2FP_CANCELLED' });
    assert.deepEqual(readdirSync(join(folder, 'out')), []);
  });

  it('puts the model in its place where an abort comes later than that', async () => {
    const done = "process.send({ type: 'done', result: { warnings: [] } }); process.disconnect();";
    const controller = new AbortController();
    const result = await withProgram(writing(done), { signal: controller.signal });
    controller.abort();
    assert.deepEqual(result.warnings, []);
    assert.deepEqual(readdirSync(out()).toSorted(), ['m2fp.json', 'model.onnx', 'model.onnx.data']);
    assert.deepEqual(readdirSync(join(folder, 'out')), ['model']);
  });
});
