import assert from 'node:assert/strict';
import { PickleEndsEarlyError } from '../../../src/checkpoint/pickle-machine.ts';
import { unpickle } from '../../../src/checkpoint/unpickle.ts';
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
  pickle,
  storage,
  tensor,
  text,
  tuple,
  uint32,
  type Part,
} from '../../support/pickle-writer.ts';
import { isInvalid } from '../support/files.ts';
import { read, refuses } from '../support/unpickle.ts';

const repeat = (part: string, count: number) => Buffer.alloc(part.length * count, part, 'latin1');

const endsEarly = (error: unknown) => error instanceof PickleEndsEarlyError;

describe('unpickle', () => {
  describe('refuses odd calls', () => {
    it('of what is no function', () => {
      refuses([text('os.system'), ')R'], /calls something that is no function/);
      refuses([global('torch', 'FloatStorage'), ')R'], /calls something that is no function/);
      refuses([global('collections', 'OrderedDict'), 'NR'], /without a tuple of arguments/);
    });

    it('of allowed functions with other arguments', () => {
      refuses(call(global('torch._utils', '_rebuild_tensor_v2')), /tensor without a storage/);
      refuses(call(global('torch._utils', '_rebuild_parameter'), storage()), /parameter without a tensor/);
    });

    it('of BUILD on anything but a dict', () => {
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

    for (const code of [bytes('X', uint32(0xffffffff)), bytes(0x8a, 255), bytes('X', uint32(5), 'four')]) {
      it(`of lengths: ${code.toString('hex')}`, () => {
        assert.throws(() => unpickle(bytes(0x80, 2, code), 'x'), endsEarly);
      });
    }
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
