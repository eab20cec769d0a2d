import assert from 'node:assert/strict';
import { PickleEndsEarlyError, unpickle } from '../../src/checkpoint/unpickle.ts';
import { OpaqueValue, PickledDict, StorageReference, TensorReference } from '../../src/checkpoint/values.ts';
import {
  FALSE,
  NONE,
  TRUE,
  bytes,
  call,
  dict,
  global,
  int,
  list,
  orderedDict,
  pickle,
  storage,
  tensor,
  text,
  tuple,
  uint16,
  uint32,
  type Part,
} from '../support/pickle-writer.ts';
import { isInvalid } from './support/files.ts';

const read = (...value: Part[]) => unpickle(pickle(...value), 'm.pt: data.pkl').value;

/** Checks that a pickle is refused for this reason, at this byte. */
function refuses(value: Part | Part[], reason: RegExp, at?: number): void {
  assert.throws(
    () => read(...(Array.isArray(value) ? value : [value])),
    isInvalid(
      /^m\.pt: data\.pkl /,
      reason,
      at === undefined ? /at byte \d+/ : new RegExp(`at byte ${at}\\b`),
    ),
  );
}

const repeat = (part: string, count: number) => Buffer.alloc(part.length * count, part, 'latin1');

const endsEarly = (error: unknown) => error instanceof PickleEndsEarlyError;

describe('unpickle', () => {
  describe('reads plain data', () => {
    it('scalars', () => {
      assert.equal(read(NONE), null);
      assert.equal(read(TRUE), true);
      assert.equal(read(FALSE), false);
      assert.equal(read('K', 255), 255);
      assert.equal(read('M', uint16(65_535)), 65_535);
      assert.equal(read(int(-(2 ** 31))), -(2 ** 31));
      assert.equal(read('G', bytes(0xc0, 0x09, 0x21, 0xfb, 0x54, 0x44, 0x2d, 0x18)), -Math.PI);
      assert.equal(read(text('Gewicht ü ✓')), 'Gewicht ü ✓');
    });

    it('long integers, as numbers where they are exact', () => {
      assert.equal(read('\x8a', 0), 0);
      assert.equal(read('\x8a', 1, 0xff), -1);
      assert.equal(read('\x8a', 2, 0xff, 0x00), 255);
      assert.equal(read(int(2 ** 53 - 1)), 2 ** 53 - 1);
      assert.equal(read(int(2n ** 53n)), 2n ** 53n);
      assert.equal(read(int(-(2n ** 80n))), -(2n ** 80n));
    });

    it('lists, tuples and dicts, which may hold themselves', () => {
      assert.deepEqual(read(list(int(1), tuple(), '](', FALSE, 'e')), [1, [], [false]]);
      assert.deepEqual(read('K', 1, 'K', 2, 'K', 3, '\x87'), [1, 2, 3]);
      assert.deepEqual(read('K', 1, 'K', 2, '\x86'), [1, 2]);
      assert.deepEqual(read('K', 1, '\x85'), [1]);
      assert.deepEqual(read(']K', 1, 'a'), [1]);
      assert.deepEqual(read('}', text('a'), 'K', 1, 's'), new PickledDict([['a', 1]]));
      const cycle = read(']', 'q', 0, 'h', 0, 'a');
      assert.ok(Array.isArray(cycle));
      assert.equal(cycle[0], cycle);
    });

    it('dicts with the entries under text only, in order, the last of a name', () => {
      const value = read(
        dict([text('b'), int(1)], [int(7), int(2)], [text('a'), int(3)], [text('b'), int(4)]),
      );
      assert.ok(value instanceof PickledDict);
      assert.deepEqual(
        [...value],
        [
          ['b', 4],
          ['a', 3],
        ],
      );
    });

    it('OrderedDicts with a _metadata attribute, which is dropped', () => {
      const metadata = dict([text('_metadata'), orderedDict()]);
      assert.deepEqual(
        read(orderedDict(), '(', text('a'), int(1), 'u', metadata, 'b'),
        new PickledDict([['a', 1]]),
      );
    });

    it('memo entries of both widths', () => {
      assert.deepEqual(read(text('x'), 'r', uint32(300), 'j', uint32(300), '\x86'), ['x', 'x']);
    });

    it('and says where the pickle ends, in bytes that go on', () => {
      const whole = pickle(int(1));
      assert.equal(unpickle(bytes(whole, 'more'), 'x').length, whole.length);
    });
  });

  describe('reads tensors', () => {
    it('with their storage, offset, shape and strides', () => {
      const value = read(
        tensor({ type: 'HalfStorage', key: '7', elements: 24, offset: 2, shape: [3, 2], strides: [1, 4] }),
      );
      assert.ok(value instanceof TensorReference);
      assert.deepEqual(value.storage, new StorageReference('7', 'float16', 24));
      assert.deepEqual(value.layout, { offset: 2, shape: [3, 2], strides: [1, 4], elements: 6, span: 7 });
    });

    it('and parameters as the tensors that they are', () => {
      const parameter = call(global('torch._utils', '_rebuild_parameter'), tensor(), TRUE, orderedDict());
      assert.ok(read(parameter) instanceof TensorReference);
    });

    it('of one storage with one reference, and lists the storages', () => {
      const { value, storages } = unpickle(pickle(list(tensor(), tensor(), tensor({ key: '1' }))), 'x');
      assert.ok(Array.isArray(value));
      const [a, b] = value;
      assert.ok(a instanceof TensorReference && b instanceof TensorReference);
      assert.equal(a.storage, b.storage);
      assert.deepEqual([...storages.keys()], ['0', '1']);
    });

    it('whose shape cannot change afterwards', () => {
      const shape = bytes(list(int(4)), 'q', 0);
      const made = call(
        global('torch._utils', '_rebuild_tensor_v2'),
        storage(),
        int(0),
        shape,
        list(int(1)),
        FALSE,
        NONE,
      );
      const value = read('(', made, 'h', 0, '(', int(1_000_000), 'e', 't');
      assert.ok(Array.isArray(value) && value[0] instanceof TensorReference);
      assert.deepEqual(value[1], [4, 1_000_000]);
      assert.deepEqual(value[0].layout.shape, [4]);
    });

    it('on persistent ids of the legacy form', () => {
      assert.ok(read(storage({ view: NONE })) instanceof StorageReference);
    });
  });

  describe("keeps the places of NumPy's values, not what is in them:", () => {
    const encode = call(global('_codecs', 'encode'), text('\u0000\u00f0?'), text('latin1'));
    const dtype = bytes(
      call(global('numpy', 'dtype'), text('f8'), FALSE, TRUE),
      tuple(int(3), text('<')),
      'b',
    );
    for (const module of ['numpy.core.multiarray', 'numpy._core.multiarray']) {
      it(`scalars and arrays of ${module}`, () => {
        const scalar = call(global(module, 'scalar'), dtype, encode);
        const array = call(global(module, '_reconstruct'), global('numpy', 'ndarray'), tuple(int(0)), encode);
        const state = tuple(int(1), tuple(int(0)), dtype, FALSE, call(global('__builtin__', 'bytes')));
        const value = read(dict([text('best'), scalar], [text('history'), bytes(array, state, 'b')]));
        assert.deepEqual(
          value,
          new PickledDict([
            ['best', new OpaqueValue(`${module}.scalar`)],
            ['history', new OpaqueValue(`${module}._reconstruct`)],
          ]),
        );
      });
    }

    it('but nothing else of NumPy', () => {
      refuses(global('numpy', 'load'), /asks for the global "numpy\.load"/);
      refuses(global('numpy.core.multiarray', 'fromfile'), /the global "numpy\.core\.multiarray\.fromfile"/);
      refuses(global('_codecs', 'decode'), /the global "_codecs\.decode"/);
      refuses(call(global('numpy', 'ndarray'), tuple(int(1))), /calls something that is no function/);
      refuses([dtype, 'NR'], /calls something that is no function/);
      refuses(call(global('torch._utils', '_rebuild_parameter'), dtype), /a parameter without a tensor/);
    });
  });

  describe('refuses every other global', () => {
    const globals = [
      ['os', 'system'],
      ['posix', 'system'],
      ['builtins', 'eval'],
      ['__builtin__', 'exec'],
      ['subprocess', 'Popen'],
      ['torch', 'load'],
      ['torch.storage', '_load_from_bytes'],
      ['torch._utils', '_rebuild_sparse_tensor'],
      ['torch', 'ComplexFloatStorage'],
      ['collections', 'defaultdict'],
      ['collections', '__proto__'],
      ['torch._utils', 'constructor'],
      ['torch', ''],
      ['', ''],
    ] as const;
    for (const [module, name] of globals) {
      it(`${module}.${name}`, () => {
        refuses([']', global(module, name)], new RegExp(`asks for the global "${module}\\.${name}"`), 3);
      });
    }

    it('also where it is called with arguments', () => {
      refuses(call(global('os', 'system'), text('touch owned')), /asks for the global "os\.system"/, 2);
    });

    it('with a name that is quoted and cut in the message', () => {
      refuses(global('a\u001b[31m', `"${'b'.repeat(200)}`), /the global "a\\u001b\[31m\.\\"b{70,80}…"/);
    });

    it('with a name that has no end', () => {
      refuses(bytes('c', 'a'.repeat(10_000)), /names a global of more than 256 bytes/, 2);
    });
  });

  describe('refuses every other opcode', () => {
    const opcodes: [name: string, code: Part[], hex: string][] = [
      ['INST', ['(', text('true'), 'ios\nsystem\n'], '69'],
      ['OBJ', ['(', global('collections', 'OrderedDict'), 'o'], '6f'],
      ['NEWOBJ', [global('collections', 'OrderedDict'), ')\x81'], '81'],
      ['NEWOBJ_EX', [global('collections', 'OrderedDict'), ')}\x92'], '92'],
      ['STACK_GLOBAL', [text('os'), text('system'), '\x93'], '93'],
      ['EXT1', ['\x82', 1], '82'],
      ['EXT2', ['\x83', uint16(1)], '83'],
      ['EXT4', ['\x84', uint32(1)], '84'],
      ['LONG4', ['\x8b', uint32(0x7fffffff)], '8b'],
      ['LONG', ['L1L\n'], '4c'],
      ['INT', ['I1\n'], '49'],
      ['PERSID', ['P0\n'], '50'],
      ['DUP', ['NN2\x86'], '32'],
      ['POP', ['NN0'], '30'],
      ['MEMOIZE', ['N\x94'], '94'],
      ['FRAME', ['\x95', Buffer.alloc(8)], '95'],
    ];
    for (const [name, code, hex] of opcodes) {
      it(name, () => refuses(code, new RegExp(`uses the opcode ${name} \\(0x${hex}\\)`)));
    }

    it('without a name', () => refuses('\xff', /uses the opcode 0xff/, 2));
  });

  it('refuses other protocols than 2', () => {
    for (const protocol of [0, 1, 3, 4, 5, 255]) {
      const value = bytes(0x80, protocol, 'N.');
      assert.throws(() => unpickle(value, 'x'), isInvalid(new RegExp(`pickle protocol ${protocol};`)));
    }
  });

  describe('refuses odd calls', () => {
    it('of what is no function', () => {
      refuses([text('os.system'), ')R'], /calls something that is no function/);
      refuses([global('torch', 'FloatStorage'), ')R'], /calls something that is no function/);
      refuses([global('collections', 'OrderedDict'), 'NR'], /without a tuple of arguments/);
    });

    it('of allowed functions with other arguments', () => {
      refuses(call(global('collections', 'OrderedDict'), list()), /OrderedDict with arguments/);
      refuses(call(global('torch._utils', '_rebuild_tensor_v2')), /tensor without a storage/);
      refuses(call(global('torch._utils', '_rebuild_parameter'), storage()), /parameter without a tensor/);
      const conjugate = dict([text('conj'), TRUE]);
      const args = [storage(), int(0), tuple(int(4)), tuple(int(1)), FALSE, orderedDict(), conjugate];
      refuses(call(global('torch._utils', '_rebuild_tensor_v2'), ...args), /tensor with metadata/);
    });

    it('of BUILD on anything but a dict, and with anything but a dict', () => {
      for (const target of [
        NONE,
        list(),
        text('x'),
        tensor(),
        storage(),
        global('collections', 'OrderedDict'),
      ]) {
        refuses([target, dict(), 'b'], /sets the state of something that is no dict/);
      }
      refuses([orderedDict(), tuple(dict(), dict()), 'b'], /sets the state/);
    });
  });

  describe('refuses odd storages', () => {
    it('that are none', () => {
      refuses([NONE, 'Q'], /persistent id that is no storage/);
      refuses([text('0'), 'Q'], /persistent id that is no storage/);
      refuses([tuple(text('module')), 'Q'], /persistent id that is no storage/);
      refuses(
        [tuple(text('storage'), text('torch.FloatStorage'), text('0'), text('cpu'), int(4)), 'Q'],
        /unknown class/,
      );
      refuses(
        [tuple(text('storage'), global('collections', 'OrderedDict'), text('0'), text('cpu'), int(4)), 'Q'],
        /unknown class/,
      );
    });

    it('by key, length or view', () => {
      for (const key of ['', '../../../etc/passwd', 'a/b', 'x'.repeat(65), '0\n']) {
        refuses(storage({ key }), /storage with an odd key/);
      }
      refuses(
        [tuple(text('storage'), global('torch', 'FloatStorage'), int(0), text('cpu'), int(4)), 'Q'],
        /storage with an odd key/,
      );
      refuses(storage({ elements: -1 }), /storage 0 with an odd length/);
      refuses(storage({ elements: 2n ** 53n }), /storage 0 with an odd length/);
      refuses(storage({ view: tuple(text('1'), int(0), int(4)) }), /storage 0 as a view/);
    });

    it('described in two ways', () => {
      refuses(list(storage(), storage({ elements: 8 })), /describes storage 0 in two ways/);
      refuses(list(storage(), storage({ type: 'IntStorage' })), /describes storage 0 in two ways/);
    });
  });

  describe('refuses a broken stack', () => {
    it('that is empty where a value is needed', () => {
      for (const code of ['', 'a', 's', '\x85', 'R', 'b', 'Q', 'e', 'u']) {
        refuses(code, /from an empty stack|misses a MARK/);
      }
      refuses(['q', 0], /from an empty stack/);
    });

    it('that lacks the mark of what is gathered', () => {
      for (const code of ['N', ']', '}']) {
        for (const gather of ['t', 'e', 'u']) refuses([code, gather], /misses a MARK/);
      }
    });

    it('below a mark', () => refuses(']N(\x86', /from an empty stack/));

    it('with values or marks left over', () => {
      refuses('NN', /stops with values left over/);
      refuses('(N', /stops with values left over/);
    });

    it('with the wrong kind of target', () => {
      refuses(['N(', NONE, 'e'], /appends to something that is no list/);
      refuses([']', text('a'), 'Ns'], /sets an item of something that is no dict/);
      refuses(['}(', text('a'), 'u'], /sets an item without a value/);
    });

    it('with a memo entry that was never stored', () => {
      refuses(['h', 3], /asks for memo entry 3/, 2);
      refuses(['N', 'r', uint32(0xffffffff)], /stores memo entry 4294967295/, 3);
    });
  });

  describe('refuses bombs', () => {
    it('of operations', () => {
      for (const part of ['}', '(', ']q\x00', 'N\x85q\x00h\x00']) {
        refuses(repeat(part, 2 ** 21), /has more than 1000000 operations/);
      }
    });

    it('of names in one dict', () => {
      const entries = Array.from({ length: 20_001 }, (_, i) => bytes(text(`${i}`), NONE));
      refuses(['}(', ...entries, 'u'], /fills a dict with more than 20000 names/);
    });

    it('of storages', () => {
      const storages = Array.from({ length: 20_001 }, (_, i) => storage({ key: `${i}` }));
      refuses(list(...storages), /has more than 20000 storages/);
    });

    it('of tensors that share one endless shape', () => {
      const shape = bytes(tuple(repeat('K\x01', 300_000)), 'q', 0);
      const args = [storage(), 'K\x00', shape, 'h', 0, FALSE, NONE];
      refuses(call(global('torch._utils', '_rebuild_tensor_v2'), ...args), /tensor that has 300000 axes/);
    });

    it('that only pile up references, by reading them', () => {
      // A billion laughs: each tuple holds the one before twice. Only who expands it pays.
      let laughs: Part[] = [tuple(), 'q', 0];
      for (let i = 0; i < 100; i++) laughs = [...laughs, 'h', i, '\x86', 'q', i + 1];
      assert.ok(Array.isArray(read(...laughs)));
      assert.ok(Array.isArray(read(repeat(']', 400_000), repeat('a', 399_999))));
    });

    it('of lengths', () => {
      for (const code of [bytes('X', uint32(0xffffffff)), bytes(0x8a, 255), bytes('X', uint32(5), 'four')]) {
        assert.throws(() => unpickle(bytes(0x80, 2, code), 'x'), endsEarly);
      }
    });
  });

  it('answers every cut of a pickle with PickleEndsEarlyError and the place', () => {
    const whole = pickle(
      dict([text('a'), tensor()], [text('b'), int(2n ** 60n)], [text('c'), list(NONE, TRUE)]),
    );
    for (let length = 0; length < whole.length; length++) {
      assert.throws(
        () => unpickle(whole.subarray(0, length), 'm.pt: data.pkl'),
        (error) => {
          assert.ok(error instanceof PickleEndsEarlyError);
          return isInvalid(new RegExp(`data\\.pkl ends at byte ${length}, within the operation`))(error);
        },
      );
    }
  });
});
