import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { openCheckpoint } from '../../src/checkpoint/index.ts';
import {
  FALSE,
  NONE,
  bytes,
  call,
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
  type LegacyParts,
} from '../support/pickle-writer.ts';
import { FIXTURES, isInvalid, readAll, scratchFolder } from './support/files.ts';

describe('a checkpoint in legacy form', () => {
  const scratch = scratchFolder();
  const object = dict(
    [text('a'), tensor({ view: NONE })],
    [text('b'), tensor({ key: '1', elements: 2, shape: [2] })],
  );
  const first = { key: '1', count: 2, data: float32(5, 6) };
  const second = { key: '0', count: 4, data: float32(1, 2, 3, 4) };
  const storages = [first, second];

  const refuses = (parts: Partial<LegacyParts>, reason: RegExp) =>
    assert.rejects(
      readAll(scratch.write(legacy({ object, storages, ...parts }))),
      isInvalid(/^pytorch_model\.pt: /, reason),
    );

  it('is read with the storages in the order of their list', async () => {
    const tensors = await readAll(scratch.write(legacy({ object, storages })));
    assert.deepEqual([...tensors.get('a')!], [1, 2, 3, 4]);
    assert.deepEqual([...tensors.get('b')!], [5, 6]);
  });

  it('is read where the pickle is longer than the first windows', async () => {
    const long = dict([text('note'), text('x'.repeat(5 * 2 ** 20))], [text('model'), object]);
    const tensors = await readAll(scratch.write(legacy({ object: long, storages })));
    assert.deepEqual([...tensors.get('b')!], [5, 6]);
  });

  it('is refused where a pickle ends within the file, with the byte', async () => {
    const whole = legacy({ object, storages });
    const path = scratch.write(whole.subarray(0, 60));
    await assert.rejects(
      openCheckpoint(path),
      isInvalid(/the pickle of the system information, .* ends at byte \d+, within/),
    );
  });

  it('is refused where a pickle goes on beyond all measure', async () => {
    const path = scratch.write(bytes(0x80, 2, 'X', uint32(70 * 2 ** 20), Buffer.alloc(70 * 2 ** 20)));
    await assert.rejects(
      openCheckpoint(path),
      isInvalid(/pickle of the magic number is longer than 67108864 bytes/),
    );
  });

  it('is refused as another pickle', async () => {
    await assert.rejects(
      openCheckpoint(scratch.write(pickle(dict()))),
      isInvalid(/but not one that torch\.save wrote/),
    );
    await refuses({ magic: int(0x1950a86a20f9469cfc6dn) }, /its magic number is missing/);
    await refuses({ version: int(1002) }, /another protocol version than 1001/);
  });

  it("is refused with advice where it is of detectron2's model zoo", async () => {
    const advice = isInvalid(/is a pickle of NumPy arrays/, /torch\.as_tensor\(array\)/);
    const zoo = readFileSync(join(FIXTURES, 'model-zoo.pkl'));
    await assert.rejects(openCheckpoint(scratch.write(zoo, 'R-101.pkl')), advice);
    // Python 2 wrote its text in an opcode that is not read.
    await assert.rejects(openCheckpoint(scratch.write(pickle('U\x01a'), 'R-101.pkl')), advice);
    const arrays = dict([text('a'), call(global('numpy', 'dtype'))]);
    await assert.rejects(openCheckpoint(scratch.write(pickle(arrays), 'R-101.pth')), advice);
  });

  it('is refused in big-endian or without a word about it', async () => {
    await refuses({ system: dict([text('little_endian'), FALSE]) }, /not written on a little-endian machine/);
    await refuses({ system: dict() }, /not written on a little-endian machine/);
    await refuses({ system: list() }, /not written on a little-endian machine/);
  });

  it('is refused with another list of storages', async () => {
    await refuses({ keys: list(text('1')) }, /lists other storages than the 2 of its tensors/);
    await refuses({ keys: NONE }, /lists other storages than the 2/);
    await refuses({ keys: dict() }, /lists other storages than the 2/);
    await refuses({ keys: list(text('1'), text('1')) }, /lists a storage twice or one that no tensor uses/);
    await refuses({ keys: list(text('1'), text('2')) }, /lists a storage twice or one that no tensor uses/);
    await refuses({ keys: list(int(1), int(0)) }, /lists a storage twice or one that no tensor uses/);
  });

  it('is refused where a storage has another length', async () => {
    await refuses(
      { storages: [{ ...first, count: 3 }, second] },
      /storage 1 at byte \d+ has 3 elements, not 2/,
    );
    await refuses({ storages: [{ ...first, count: -1 }, second] }, /has -1 elements/);
    const short = { ...second, data: float32(1, 2, 3) };
    await refuses({ storages: [first, short] }, /ends at byte \d+, before the end of storage 0/);
  });

  it('is refused with a hostile pickle that is named with its place', async () => {
    await refuses(
      { object: bytes('cos\nsystem\n') },
      /the pickle of the object, which starts at byte \d+, asks for .*"os\.system" at byte 2/,
    );
    await refuses({ keys: bytes('cos\nsystem\n') }, /the pickle of the storage keys, .*"os\.system"/);
    await refuses({ system: bytes('cos\nsystem\n') }, /the pickle of the system information, .*"os\.system"/);
  });
});
