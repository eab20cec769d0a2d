import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import {
  closeSync,
  ftruncateSync,
  openSync,
  readFileSync,
  readdirSync,
  readlinkSync,
  realpathSync,
  statSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import { openCheckpoint, type CheckpointForm, type DType } from '../../src/checkpoint/index.ts';
import { goldenFolder } from '../support/golden.ts';
import {
  FALSE,
  call,
  checkpointEntries,
  dict,
  float32,
  global,
  int,
  legacy,
  list,
  pickle,
  tensor,
  text,
  uint32,
  zip,
} from '../support/pickle-writer.ts';
import { FIXTURES, isInvalid, readAll, scratchFolder } from './support/files.ts';

interface ExpectedTensor {
  dtype: DType;
  shape: number[];
  /** What JSON has no number for is a string: inf, -inf, nan. */
  values: (number | string)[];
}

interface Fixtures {
  'expected.json': Record<string, Record<string, ExpectedTensor>>;
  'golden.json': Record<string, { tensors: number; sha256: string }>;
}

function fixture<Name extends keyof Fixtures>(name: Name): Fixtures[Name] {
  return JSON.parse(readFileSync(join(FIXTURES, name), 'utf8')) as Fixtures[Name];
}

function formOf(fixtureName: string): CheckpointForm {
  if (fixtureName.endsWith('.safetensors')) return 'safetensors';
  return fixtureName.includes('legacy') ? 'legacy' : 'zip';
}

/** The path behind a file descriptor of this process; empty for one that is closed meanwhile. */
function targetOf(fd: string): string {
  try {
    return readlinkSync(`/proc/self/fd/${fd}`);
  } catch {
    return '';
  }
}

function toNumber(value: number | string): number {
  return typeof value === 'number' ? value : { inf: Infinity, '-inf': -Infinity, nan: NaN }[value]!;
}

describe('openCheckpoint', () => {
  const scratch = scratchFolder();
  const values = float32(1, 2, 3, 4);

  /** A checkpoint in zip form around one pickled value, with 4 float32 in the storage "0". */
  function write(value: Uint8Array): string {
    return scratch.write(zip(checkpointEntries(pickle(value), { 0: values })));
  }

  async function namesAndShapes(value: Uint8Array): Promise<[string, number[]][]> {
    const checkpoint = await openCheckpoint(write(value));
    await checkpoint.close();
    return [...checkpoint.tensors.values()].map(({ name, shape }) => [name, shape]);
  }

  describe('reads what the real torch.save and safetensors wrote', () => {
    const expected = fixture('expected.json');
    const files = Object.keys(expected).filter((name) => Object.keys(expected[name]!).length > 0);

    for (const name of files) {
      it(name, async () => {
        const path = join(FIXTURES, name);
        const checkpoint = await openCheckpoint(path);
        const tensors = expected[name]!;
        assert.deepEqual([...checkpoint.tensors.keys()], Object.keys(tensors));
        assert.equal(checkpoint.container, formOf(name));
        assert.equal(checkpoint.file, path);
        assert.equal(checkpoint.size, statSync(path).size);
        for (const [key, tensorOf] of Object.entries(tensors)) {
          const { dtype, shape } = tensorOf;
          assert.deepEqual(checkpoint.tensors.get(key), { name: key, dtype, shape });
          assert.deepEqual([...(await checkpoint.readFloat32(key))], tensorOf.values.map(toNumber), key);
        }
        await checkpoint.close();
      });
    }

    for (const name of ['types-zip.pt', 'types-legacy.pt', 'types.safetensors']) {
      it(`covers every type of element: ${name}`, () => {
        const types = 'float32 float16 bfloat16 float64 int64 int32 int16 int8 uint8 bool'
          .split(' ')
          .toSorted();
        const seen = new Set(Object.values(expected[name]!).map(({ dtype }) => dtype));
        assert.deepEqual([...seen].toSorted(), types);
      });
    }
  });

  for (const variant of ['multi', 'single'] as const) {
    it(`reads the golden ${variant} checkpoint as torch reads it`, async () => {
      const golden = fixture('golden.json')[variant]!;
      const hash = createHash('sha256');
      const tensors = await readAll(join(goldenFolder(variant), 'pytorch_model.pt'));
      for (const [name, floats] of tensors) {
        hash.update(`${name}\n`);
        hash.update(new Uint8Array(floats.buffer));
      }
      assert.equal(tensors.size, golden.tensors);
      assert.equal(hash.digest('hex'), golden.sha256);
    });
  }

  describe('finds the state dict', () => {
    const one = tensor();
    const other = tensor({ shape: [2], strides: [1] });

    it('under "model" before "state_dict" before the dict itself', async () => {
      const both = dict(
        [text('state_dict'), dict([text('b'), other])],
        [text('model'), dict([text('a'), one])],
        [text('c'), one],
      );
      assert.deepEqual(await namesAndShapes(both), [['a', [4]]]);
      const second = dict([text('state_dict'), dict([text('b'), other])], [text('c'), one]);
      assert.deepEqual(await namesAndShapes(second), [['b', [2]]]);
      assert.deepEqual(await namesAndShapes(dict([text('c'), one])), [['c', [4]]]);
    });

    it('in the dict itself where "model" holds no tensors', async () => {
      const value = dict([text('model'), text('m2fp')], [text('c'), one]);
      assert.deepEqual(await namesAndShapes(value), [['c', [4]]]);
    });

    it('in wrappers inside of each other, two at most', async () => {
      const deep = dict([text('model_state_dict'), dict([text('state_dict'), dict([text('a'), one])])]);
      assert.deepEqual(await namesAndShapes(deep), [['a', [4]]]);
      const deeper = dict([text('model'), deep]);
      await assert.rejects(openCheckpoint(write(deeper)), isInvalid(/holds no tensors/));
    });

    it('strips one prefix after another that every name has', async () => {
      const every = dict([text('module.model.a'), one], [text('module.model.b'), other]);
      assert.deepEqual(await namesAndShapes(every), [
        ['a', [4]],
        ['b', [2]],
      ]);
      const students = dict([text('model.a'), one], [text('model_ema.a'), other]);
      assert.deepEqual(await namesAndShapes(students), [
        ['model.a', [4]],
        ['model_ema.a', [2]],
      ]);
      const endless = dict([text('module.'.repeat(100_000)), one]);
      assert.equal((await namesAndShapes(endless))[0]![0].length, 7 * (100_000 - 4));
    });

    it('strips "module." only where every name has it', async () => {
      const every = dict([text('module.a'), one], [text('module.b.module.c'), other]);
      assert.deepEqual(await namesAndShapes(every), [
        ['a', [4]],
        ['b.module.c', [2]],
      ]);
      const some = dict([text('module.a'), one], [text('b'), other]);
      assert.deepEqual(await namesAndShapes(some), [
        ['module.a', [4]],
        ['b', [2]],
      ]);
    });

    it('and leaves out what is no tensor or has no text as its name', async () => {
      const value = dict(
        [text('a'), one],
        [text('steps'), int(7)],
        [int(5), other],
        [text('list'), list(other)],
      );
      assert.deepEqual(await namesAndShapes(value), [['a', [4]]]);
    });

    it('with odd names, without touching Object.prototype', async () => {
      const value = dict([text('__proto__'), one], [text('constructor'), one], [text('Gewichte ü ✓'), one]);
      const names = (await namesAndShapes(value)).map(([name]) => name);
      assert.deepEqual(names, ['__proto__', 'constructor', 'Gewichte ü ✓']);
      const polluting = dict([
        text('model'),
        dict([text('a'), one], [text('__proto__'), dict([text('x'), int(1)])]),
      ]);
      await namesAndShapes(polluting);
      assert.equal(({} as { x?: number }).x, undefined);
    });

    it('or says what it found instead', async () => {
      await assert.rejects(
        openCheckpoint(write(dict([text('epoch'), int(1)], [text('model'), dict()]))),
        isInvalid(/^pytorch_model\.pt: holds no tensors/, /its entries are: "epoch", "model"\./),
      );
      await assert.rejects(openCheckpoint(write(list(one))), isInvalid(/holds no dict/));
    });
  });

  describe('refuses a state dict whose data the file lacks', () => {
    it('altogether', async () => {
      const path = scratch.write(
        zip(checkpointEntries(pickle(dict([text('stem.weight'), tensor()])), { 1: values })),
      );
      await assert.rejects(
        openCheckpoint(path),
        isInvalid(/the data "0" of the tensor "stem\.weight" is missing/, /download or copy it again/),
      );
    });

    it('in part', async () => {
      const path = write(dict([text('stem.weight'), tensor({ elements: 5, shape: [5] })]));
      await assert.rejects(
        openCheckpoint(path),
        isInvalid(/the data "0" of the tensor "stem\.weight" has 16 bytes where 20 are needed/),
      );
    });
  });

  it('keeps no handle of a file that it refuses', async function () {
    if (process.platform !== 'linux') this.skip();
    const path = write(call(global('os', 'system'), text('true')));
    const isOpen = () => readdirSync('/proc/self/fd').some((fd) => targetOf(fd) === realpathSync(path));
    const handle = openSync(path, 'r');
    assert.ok(isOpen());
    closeSync(handle);
    await assert.rejects(openCheckpoint(path), isInvalid(/"os\.system"/));
    assert.ok(!isOpen());
  });

  it('answers an unknown name and a closed file with an error of ours', async () => {
    const checkpoint = await openCheckpoint(write(dict([text('a'), tensor()])));
    await assert.rejects(checkpoint.readFloat32('b'), isInvalid(/pytorch_model\.pt: has no tensor "b"/));
    await assert.rejects(checkpoint.readFloat32('__proto__'), isInvalid(/has no tensor/));
    await checkpoint.close();
    await assert.rejects(checkpoint.readFloat32('a'), isInvalid(/cannot be read/));
  });

  it('notices a file that shrinks while it is open', async () => {
    const path = scratch.write(
      legacy({
        object: dict([text('a'), tensor({ shape: [2], strides: [2] })]),
        storages: [{ key: '0', count: 4, data: values }],
      }),
    );
    const checkpoint = await openCheckpoint(path);
    const handle = openSync(path, 'r+');
    ftruncateSync(handle, checkpoint.size - 8);
    closeSync(handle);
    await assert.rejects(checkpoint.readFloat32('a'), isInvalid(/ended at byte \d+ while it was read/));
    await checkpoint.close();
  });

  it('reads one slice of a huge file without the rest of it', async () => {
    // A sparse file: 3 GiB of an optimizer's zeros, none of it on the disk, then the weights.
    const optimizerElements = 3 * 2 ** 28;
    const whole = legacy({
      object: dict(
        [text('optimizer'), dict([text('state'), tensor({ key: '1', elements: optimizerElements })])],
        [text('model'), dict([text('a'), tensor({ offset: 1, shape: [2] })])],
      ),
      keys: list(text('1'), text('0')),
    });
    const path = scratch.path('sparse.pt');
    const handle = openSync(path, 'w');
    writeSync(handle, whole);
    const count = Buffer.concat([uint32(optimizerElements), uint32(0)]);
    writeSync(handle, count, 0, 8, whole.length);
    const behind = Buffer.concat([uint32(4), uint32(0), values]);
    writeSync(handle, behind, 0, behind.length, whole.length + 8 + optimizerElements * 4);
    closeSync(handle);

    const before = process.resourceUsage().maxRSS;
    const tensors = await readAll(path);
    const grownMiB = (process.resourceUsage().maxRSS - before) / 1024;
    assert.deepEqual([...tensors.get('a')!], [2, 3]);
    assert.ok(grownMiB < 200, `memory grew by ${grownMiB} MiB`);
  });

  it('refuses what torch.save can write but a model is not', async () => {
    await assert.rejects(
      openCheckpoint(join(FIXTURES, 'whole-module.pt')),
      isInvalid(
        /a whole object, "torch\.nn\.modules\.linear\.Linear"/,
        /torch\.save\(model\.state_dict\(\), file\)/,
      ),
    );
    await assert.rejects(openCheckpoint(join(FIXTURES, 'protocol-4.pt')), isInvalid(/pickle protocol 4/));
  });

  it('says all of what, where and why', async () => {
    const path = write(dict([text('model'), call(global('os', 'system'), text('touch /tmp/owned'), FALSE)]));
    await assert.rejects(openCheckpoint(path), {
      code: 'M2FP_CHECKPOINT_INVALID',
      message:
        'pytorch_model.pt: data.pkl asks for the global "os.system" at byte 14, which a model checkpoint never ' +
        'needs. The file is not a PyTorch state dict or has been tampered with; nothing was run. If it is yours, ' +
        'save only the weights: torch.save(model.state_dict(), file).',
    });
  });
});
