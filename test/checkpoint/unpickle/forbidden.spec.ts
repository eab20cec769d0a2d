import assert from 'node:assert/strict';
import { unpickle } from '../../../src/checkpoint/unpickle.ts';
import { OpaqueValue } from '../../../src/checkpoint/values.ts';
import { bytes, call, global, text, uint16, uint32, type Part } from '../../support/pickle-writer.ts';
import { isInvalid } from '../support/files.ts';
import { read, refuses } from '../support/unpickle.ts';

describe('unpickle', () => {
  describe('refuses every global that means harm', () => {
    const globals = [
      ['os', 'system'],
      ['posix', 'system'],
      ['builtins', 'eval'],
      ['__builtin__', 'exec'],
      ['subprocess', 'Popen'],
      ['torch', 'load'],
      ['torch.storage', '_load_from_bytes'],
      ['nt', 'system'],
      ['builtins', 'getattr'],
      ['runpy', 'run_module'],
      ['pickle', 'loads'],
      ['torch.serialization', 'os.system'],
      ['_posixsubprocess', 'fork_exec'],
      ['uuid', '_get_command_stdout'],
      ['logging.config', 'listen'],
      ['site', 'addsitedir'],
      ['__main__', 'system'],
      ['__main__', 'os.popen'],
      ['collections', '_sys.modules'],
      ['torch.fx.experimental.symbolic_shapes', 'eval_guards'],
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
      refuses(global('os.\u001b[31m', `"${'b'.repeat(200)}`), /the global "os\.\\u001b\[31m\.\\"b{67,80}…"/);
    });

    it('with a name that has no end', () => {
      refuses(bytes('c', 'a'.repeat(10_000)), /names a global of more than 256 bytes/, 2);
    });
  });

  for (const [module, name] of [
    ['collections', '__proto__'],
    ['torch._utils', 'constructor'],
    ['torch', ''],
    ['', ''],
    ['a.b', 'C'],
    ['__main__', 'Config'],
    ['functools', 'partial'],
  ] as const) {
    it(`never looks up "${module}.${name}", and never calls it`, () => {
      const made = read(call(global(module, name), text('x')));
      assert.ok(made instanceof OpaqueValue);
      assert.equal(made.name, `${module}.${name}`);
      assert.deepEqual(Object.keys(made), ['name']);
    });
  }

  describe('refuses every other opcode', () => {
    const opcodes: [name: string, code: Part[], hex: string][] = [
      ['INST', ['(', text('true'), 'ios\nsystem\n'], '69'],
      ['OBJ', ['(', global('collections', 'OrderedDict'), 'o'], '6f'],
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
      ['MEMOIZE', ['N\x94'], '94'],
      ['FRAME', ['\x95', Buffer.alloc(8)], '95'],
    ];
    for (const [name, code, hex] of opcodes) {
      it(name, () => refuses(code, new RegExp(`uses the opcode ${name} \\(0x${hex}\\)`)));
    }

    it('without a name', () => refuses('\xff', /uses the opcode 0xff/, 2));
  });

  for (const protocol of [0, 1, 3, 4, 5, 255]) {
    it(`refuses protocol ${protocol}`, () => {
      const value = bytes(0x80, protocol, 'N.');
      assert.throws(() => unpickle(value, 'x'), isInvalid(new RegExp(`pickle protocol ${protocol};`)));
    });
  }
});
