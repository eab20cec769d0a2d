import assert from 'node:assert/strict';
import { join } from 'node:path';
import { openCheckpoint, type WeightsChoice } from '../../src/checkpoint/index.ts';
import {
  FALSE,
  NONE,
  TRUE,
  bytes,
  call,
  checkpointEntries,
  dict,
  float32,
  global,
  int,
  legacy,
  list,
  orderedDict,
  pickle,
  storage,
  tensor,
  text,
  tuple,
  zip,
  type Part,
} from '../support/pickle-writer.ts';
import { FIXTURES, isInvalid, scratchFolder } from './support/files.ts';

const REBUILD = global('torch._utils', '_rebuild_tensor_v2');

/** What lies beside the weights in checkpoints of trainers, by what it is. */
const BESIDE: Record<string, Part> = {
  'a Counter': call(global('collections', 'Counter'), dict([int(10), int(1)])),
  'a torch.Size': call(global('torch', 'Size'), list(int(3), int(4))),
  'a torch.device': call(global('torch', 'device'), text('cuda'), int(0)),
  'what picks an entry': call(global('operator', 'itemgetter'), int(1)),
  'bytes in memory': call(global('io', 'BytesIO'), text('abc')),
  'a callback that prints': global('builtins', 'print'),
  'a history of a million losses': list(Buffer.alloc(1_200_000 * 9, bytes('G', Buffer.alloc(8)))),
  'a dtype': global('torch', 'float32'),
  'a set': call(global('__builtin__', 'set'), list(int(1))),
  'a frozenset': call(global('__builtin__', 'frozenset'), list(int(1))),
  'a bytearray': call(global('__builtin__', 'bytearray'), text('abc'), text('latin-1')),
  'a complex number': call(global('__builtin__', 'complex'), int(1), int(2)),
  'a defaultdict': bytes(
    call(global('collections', 'defaultdict'), global('__builtin__', 'list')),
    dict(),
  ).subarray(0, -dict().length),
  'an OrderedDict of Python 2': call(global('collections', 'OrderedDict'), list(list(text('a'), int(1)))),
  'a deque that is filled': bytes(call(global('collections', 'deque'), list(), int(20)), '(', int(1), 'e'),
  'a namespace': bytes(global('argparse', 'Namespace'), ')\x81', dict([text('lr'), int(1)]), 'b'),
  'an object with slots': bytes(global('a.b', 'C'), ')\x81', tuple(NONE, dict([text('x'), int(1)])), 'b'),
  'a dict of another class': bytes(global('addict', 'Dict'), ')\x81', '(', text('a'), int(1), 'u'),
  'what a class of its own makes': bytes(call(call(global('x', 'make')), int(1))),
  'a path': call(global('pathlib', 'PosixPath'), text('/home'), text('me')),
  'a NumPy scalar': call(
    global('numpy._core.multiarray', 'scalar'),
    call(global('numpy', 'dtype'), text('f8')),
  ),
  'a complex tensor': call(
    REBUILD,
    bytes(
      tuple(text('storage'), global('torch', 'ComplexFloatStorage'), text('c'), text('cpu'), int(4)),
      'Q',
    ),
    int(0),
    tuple(int(4)),
    tuple(int(1)),
    FALSE,
    orderedDict(),
  ),
  'a sparse tensor': call(global('torch._utils', '_rebuild_sparse_tensor'), int(0), tuple()),
  'a conjugated tensor': call(
    REBUILD,
    storage(),
    int(0),
    tuple(int(4)),
    tuple(int(1)),
    FALSE,
    orderedDict(),
    dict([text('conj'), TRUE]),
  ),
  'a tuple that holds itself': bytes(']q\x20', '(h\x20t0'),
};

describe('a checkpoint of a trainer', () => {
  const scratch = scratchFolder();
  const values = float32(1, 2, 3, 4);
  const write = (...entries: [Part, Part][]) =>
    scratch.write(zip(checkpointEntries(pickle(dict(...entries)), { 0: values })));
  const names = async (path: string, weights?: WeightsChoice) => {
    const checkpoint = await openCheckpoint(path, weights);
    await checkpoint.close();
    return [...checkpoint.tensors.keys()];
  };
  const model: [Part, Part] = [text('model'), dict([text('a'), tensor()])];

  describe('is read, whatever lies beside the weights:', () => {
    for (const [what, value] of Object.entries(BESIDE)) {
      it(what, async () => {
        assert.deepEqual(await names(write([text('trainer'), value], model)), ['a']);
        if (what.endsWith('complex tensor')) return;
        const object = dict([text('trainer'), value], model);
        const storages = [{ key: '0', count: 4, data: values }];
        assert.deepEqual(await names(scratch.write(legacy({ object, storages }))), ['a']);
      });
    }
  });

  it("is read with a scheduler's Counter, as torch wrote it", async () => {
    const checkpoint = await openCheckpoint(join(FIXTURES, 'multistep-small.pth'));
    assert.deepEqual([...checkpoint.tensors.keys()], ['weight', 'bias']);
    assert.equal((await checkpoint.readFloat32('weight')).length, 4);
    await checkpoint.close();
  });

  it('takes the prefix of an AveragedModel off, as torch wrote it', async () => {
    assert.deepEqual(await names(join(FIXTURES, 'averaged-small.pth')), ['weight', 'bias']);
  });

  it('reads parameters with state and tensors with attributes', async () => {
    const withState = call(
      global('torch._utils', '_rebuild_parameter_with_state'),
      tensor(),
      TRUE,
      orderedDict(),
      dict([text('tag'), int(1)]),
    );
    const typed = call(
      global('torch._tensor', '_rebuild_from_type_v2'),
      REBUILD,
      global('torch.nn.parameter', 'Parameter'),
      tuple(storage(), int(0), tuple(int(4)), tuple(int(1)), FALSE, orderedDict()),
      dict([text('tag'), int(1)]),
    );
    const path = write([text('model'), dict([text('a'), withState], [text('b'), typed])]);
    const checkpoint = await openCheckpoint(path);
    assert.deepEqual([...(await checkpoint.readFloat32('b'))], [1, 2, 3, 4]);
    assert.deepEqual([...checkpoint.tensors.keys()], ['a', 'b']);
    await checkpoint.close();
  });

  it('tells of a weight that is saved as something that is not read', async () => {
    const path = write([
      text('model'),
      dict(
        [text('a'), tensor()],
        [text('b'), BESIDE['a complex tensor']!],
        [text('c'), call(global('x', 'Y'))],
      ),
    ]);
    const checkpoint = await openCheckpoint(path);
    assert.deepEqual(
      [...checkpoint.opaque],
      [
        ['b', 'torch.ComplexFloatStorage'],
        ['c', 'x.Y'],
      ],
    );
    await checkpoint.close();
  });

  it('that is a whole object is refused with its class', async () => {
    const whole = bytes(global('my.nets', 'M2FP'), ')\x81', dict(), 'b');
    await assert.rejects(
      openCheckpoint(write([text('model'), whole])),
      isInvalid(/a whole object, "my\.nets\.M2FP".*nothing of it was run.*state_dict/),
    );
  });

  for (const [module, name] of [
    ['os', 'system'],
    ['posix', 'system'],
    ['nt', 'system'],
    ['subprocess', 'Popen'],
    ['__builtin__', 'eval'],
    ['builtins', 'exec'],
    ['__builtin__', 'getattr'],
    ['builtins', '__import__'],
    ['builtins', 'compile'],
    ['runpy', 'run_path'],
    ['pickle', 'loads'],
    ['_pickle', 'loads'],
    ['sys', 'modules'],
    ['importlib', 'import_module'],
    ['shutil', 'rmtree'],
    ['socket', 'socket'],
    ['webbrowser', 'open'],
    ['ctypes', 'CDLL'],
    ['operator', 'attrgetter'],
    ['torch.serialization', 'os.system'],
    ['torch', 'load'],
    ['numpy.testing._private.utils', 'runstring'],
  ] as const) {
    it(`is refused as tampered with where ${module}.${name} is beside the weights`, async () => {
      const path = write(model, [text('scheduler'), call(global(module, name), text('touch owned'))]);
      await assert.rejects(openCheckpoint(path), isInvalid(/tampered with; nothing was run/), name);
    });
  }

  describe('with averaged weights', () => {
    const averaged = dict([text('module.b'), tensor()], [text('n_averaged'), tensor()]);
    for (const entry of ['ema', 'model_ema', 'ema_state_dict']) {
      it(`under ${entry} offers them`, async () => {
        const path = write(model, [text(entry), averaged]);
        const checkpoint = await openCheckpoint(path);
        await checkpoint.close();
        assert.equal(checkpoint.averaged, entry);
        assert.deepEqual([...checkpoint.tensors.keys()], ['a']);
        assert.deepEqual(await names(path, 'ema'), ['b']);
      });
    }
    it('alone takes them', async () => {
      const path = write([text('ema'), dict([text('module'), averaged])]);
      assert.deepEqual(await names(path), ['b']);
    });
    it('or says that there are none', async () => {
      await assert.rejects(openCheckpoint(write(model), 'ema'), {
        code: 'M2FP_BAD_OPTION',
        message: /no averaged weights/,
      });
    });
  });
});

describe('an archive in place of a checkpoint', () => {
  const scratch = scratchFolder();
  const tar = Buffer.alloc(1024);
  tar.write('pytorch_model.pt');
  tar.write('ustar', 257);
  const folder = (method: number) =>
    zip([
      { name: 'model/pytorch_model.pt', data: Buffer.from('x'), method },
      { name: 'model/configuration.json', data: Buffer.from('{}'), method },
    ]);
  for (const [what, content] of Object.entries({
    'a zip archive': folder(0),
    'a compressed zip archive': folder(8),
    'a .tar': tar,
    'a .tar.gz': Buffer.from('1f8b0800000000000003', 'hex'),
    'a .rar': Buffer.from('526172211a0701000000', 'hex'),
    'a .7z': Buffer.from('377abcaf271c00040000', 'hex'),
    'a .tar.xz': Buffer.from('fd377a585a0000000000', 'hex'),
  })) {
    it(`says to unpack it first: ${what}`, async () => {
      await assert.rejects(openCheckpoint(scratch.write(content)), isInvalid(/unpack it first/));
    });
  }
});
