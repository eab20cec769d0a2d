import assert from 'node:assert/strict';
import { unpickle } from '../../../src/checkpoint/unpickle.ts';
import {
  OpaqueValue,
  PickledDict,
  StorageReference,
  TensorReference,
} from '../../../src/checkpoint/values.ts';
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
} from '../../support/pickle-writer.ts';
import { read, refuses } from '../support/unpickle.ts';

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

    it('but nothing of NumPy that reads files', () => {
      refuses(global('numpy', 'load'), /asks for the global "numpy\.load"/);
      refuses(global('numpy.core.multiarray', 'fromfile'), /the global "numpy\.core\.multiarray\.fromfile"/);
      refuses(global('_codecs', 'decode'), /the global "_codecs\.decode"/);
      refuses([dtype, 'NR'], /calls a function without a tuple of arguments/);
    });
  });
});
