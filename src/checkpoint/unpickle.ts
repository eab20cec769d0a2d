/**
 * A pickle machine that can build a PyTorch state dict and nothing else: the opcodes that `torch.save`
 * writes (pickle protocol 2), the few globals that a state dict names, no imports, no calls, no code. What trainers
 * leave beside the weights (counters, NumPy's values, objects of any class) becomes an opaque value that nothing calls,
 * whatever it is called with; names that only an attack has are refused.
 * What the opcodes mean: Python's own documentation of them, the module pickletools.
 *
 * Every opcode costs at least one byte and a bounded amount of memory, nothing recurses, and the number of
 * opcodes is limited, but for plain numbers, which the pickle's length bounds: a hostile pickle ends in an error, soon.
 */
import { NUMBERS, OPERATIONS, REFUSED, STOP } from './opcodes.ts';
import { Machine, MAX_OPERATIONS, type Unpickled } from './pickle-machine.ts';

/**
 * Reads one pickle from the start of `bytes`, which may go on after it.
 * @param where the subject of error messages: the file and the name of the pickle in it
 * @throws M2FP_CHECKPOINT_INVALID where the pickle is none of a state dict; a {@link PickleEndsEarlyError}
 *   where `bytes` end first
 */
export function unpickle(bytes: Buffer, where: string): Unpickled {
  const machine = new Machine(bytes, where);
  for (let count = 0; count < MAX_OPERATIONS;) {
    const code = machine.next();
    if (!NUMBERS.has(code)) count++;
    if (code === STOP) return machine.finish();
    const operation = OPERATIONS.get(code);
    if (operation === undefined) {
      const name = REFUSED.get(code);
      const hex = `0x${code.toString(16).padStart(2, '0')}`;
      throw machine.refuse(`uses the opcode ${name === undefined ? hex : `${name} (${hex})`}`);
    }
    operation[1](machine);
  }
  throw machine.refuse(`has more than ${MAX_OPERATIONS} operations`);
}
