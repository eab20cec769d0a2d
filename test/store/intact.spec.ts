import assert from 'node:assert/strict';
import { cpSync, mkdtempSync, readFileSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { acquireEngine, shutdownEngines } from '../../src/engine/index.ts';
import type { ModelManifest } from '../../src/m2fp/manifest.ts';
import { bundledModelFolder } from '../../src/paths.ts';
import { digestsComputed, fileDigest, learnDigests } from '../../src/store/digest.ts';
import { intactManifest, readManifest } from '../../src/store/manifest.ts';

/** A copy of the bundled model. */
describe('a model folder', () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'm2fp-intact-'));
    cpSync(bundledModelFolder(), folder, { recursive: true });
  });
  afterEach(async () => {
    await shutdownEngines();
    rmSync(folder, { recursive: true });
  });

  const weights = () => join(folder, 'model.onnx.data');
  const rewrite = (change: (manifest: ModelManifest) => void) => {
    const file = join(folder, 'm2fp.json');
    const manifest = JSON.parse(readFileSync(file, 'utf8')) as ModelManifest;
    change(manifest);
    writeFileSync(file, JSON.stringify(manifest));
  };

  it('with its weights set to zero is refused, and says what to do', async () => {
    writeFileSync(weights(), Buffer.alloc(statSync(weights()).size));
    const refused = { code: 'M2FP_MODEL_INVALID', message: /model\.onnx\.data .*changed.*convert.*again/ };
    await assert.rejects(intactManifest(folder), refused);
    await assert.rejects(acquireEngine({ model: folder }), refused);
  });

  it('with another network is refused', async () => {
    const bytes = readFileSync(join(folder, 'model.onnx'));
    bytes[bytes.length >> 1]! ^= 1;
    writeFileSync(join(folder, 'model.onnx'), bytes);
    await assert.rejects(intactManifest(folder), { code: 'M2FP_MODEL_INVALID', message: /model\.onnx / });
  });

  it('is read once for each state of its files', async () => {
    await intactManifest(folder);
    const before = digestsComputed();
    await Promise.all([intactManifest(folder), intactManifest(folder)]);
    assert.equal(digestsComputed(), before);
    utimesSync(weights(), new Date(), new Date(Date.now() + 5000));
    await intactManifest(folder);
    assert.equal(digestsComputed(), before + 1);
  });

  it('is read again where only the time was put back', async () => {
    await intactManifest(folder);
    const { size, atime, mtime } = statSync(weights());
    writeFileSync(weights(), Buffer.alloc(size));
    utimesSync(weights(), atime, mtime);
    await assert.rejects(intactManifest(folder), { code: 'M2FP_MODEL_INVALID' });
  });

  it('is not read once more by the process that loads it', async function () {
    this.timeout(60_000);
    // What is known is wrong: who reads the file finds out.
    const { sha256 } = (await readManifest(folder)).files['model.onnx.data'];
    writeFileSync(weights(), Buffer.alloc(statSync(weights()).size));
    const { dev, ino, size, mtimeNs, ctimeNs } = statSync(weights(), { bigint: true });
    learnDigests([[JSON.stringify([weights(), ...[dev, ino, size, mtimeNs, ctimeNs].map(String)]), sha256]]);
    const { engine } = await acquireEngine({ model: folder });
    await engine.load();
    assert.equal(engine.info().state, 'ready');
  });

  it('that is changed after the look at it is refused by the process that loads it', async function () {
    this.timeout(60_000);
    const { engine } = await acquireEngine({ model: folder });
    const { size, atime, mtime } = statSync(weights());
    writeFileSync(weights(), Buffer.alloc(size));
    utimesSync(weights(), atime, mtime);
    await assert.rejects(engine.load(), {
      code: 'M2FP_MODEL_INVALID',
      message: /model\.onnx\.data is not the file that was converted/,
    });
  });

  it('with other labels and a copied digest never gets the engine of another', async () => {
    const { digest } = await readManifest(bundledModelFolder());
    rewrite((manifest) => (manifest.labels[3] = 'Mittens'));
    const renamed = await readManifest(folder);
    assert.notEqual(renamed.digest, digest);
    const own = await acquireEngine({ model: folder });
    const other = await acquireEngine({ model: bundledModelFolder() });
    assert.deepEqual(own.engine.info().manifest?.labels[3], 'Mittens');
    assert.deepEqual(other.engine.info().manifest?.labels[3], 'Gloves');
  });

  it('with a made-up digest shares the engine that its contents have', async () => {
    rewrite((manifest) => (manifest.digest = 'f'.repeat(64)));
    const { digest } = await readManifest(folder);
    assert.equal(digest, (await readManifest(bundledModelFolder())).digest);
  });

  it('must tell digests of its files', async () => {
    rewrite((manifest) => Object.assign(manifest.files['model.onnx'], { sha256: 'none' }));
    await assert.rejects(readManifest(folder), { code: 'M2FP_MODEL_INVALID', message: /"files"/ });
  });

  it('is hashed without holding the event loop', async () => {
    const big = join(folder, 'big');
    writeFileSync(big, Buffer.alloc(128 * 2 ** 20, 1));
    let turns = 0;
    const count = (): void => {
      turns++;
      next = setImmediate(count);
    };
    let next = setImmediate(count);
    await fileDigest(big);
    clearImmediate(next);
    // A turn for each piece that was read, a MiB at the most.
    assert.ok(turns >= 128, `${turns} turns`);
  });
});
