import assert from 'node:assert/strict';
import { deflateRawSync } from 'node:zlib';
import { openCheckpoint } from '../../src/checkpoint/index.ts';
import {
  checkpointEntries,
  dict,
  float32,
  pickle,
  tensor,
  text,
  uint32,
  zip,
  withoutChecksums,
  type ZipEntry,
} from '../support/pickle-writer.ts';
import { isInvalid, readAll, scratchFolder } from './support/files.ts';

describe('a checkpoint in zip form', () => {
  const scratch = scratchFolder();
  const stateDict = pickle(dict([text('a'), tensor()]));
  const storages = { 0: float32(1, 2, 3, 4) };

  const write = (entries: ZipEntry[]) => scratch.write(zip(entries));
  const refuses = (entries: ZipEntry[], reason: RegExp) =>
    assert.rejects(readAll(write(entries)), isInvalid(/^pytorch_model\.pt: /, reason));

  /** The entries of a good checkpoint, with one of them changed. */
  function changed(name: string, change: Partial<ZipEntry>): ZipEntry[] {
    return checkpointEntries(stateDict, storages).map((entry) =>
      entry.name === name ? { ...entry, ...change } : entry,
    );
  }

  it('is read with the sizes of the central directory', async () => {
    const whole = zip(checkpointEntries(stateDict, storages));
    assert.equal(whole.readUInt16LE(6), 0x0808);
    assert.equal(whole.readUInt32LE(18), 0);
    assert.deepEqual([...(await readAll(scratch.write(whole))).get('a')!], [1, 2, 3, 4]);
  });

  it('is read without a byte order, as torch 1 writes it, and under any name of the root', async () => {
    const entries = checkpointEntries(stateDict, storages, {}).map(({ name, data }) => ({
      name: name.replace('archive', 'pytorch_model.v2'),
      data,
    }));
    assert.deepEqual([...(await readAll(write(entries))).get('a')!], [1, 2, 3, 4]);
  });

  it('is refused in big-endian, by name', async () => {
    await refuses(
      checkpointEntries(stateDict, storages, { byteorder: 'big' }),
      /byte order "big"; only "little"/,
    );
    await refuses(
      checkpointEntries(stateDict, storages, { byteorder: 'x'.repeat(100) }),
      /has 100 bytes, more than 16/,
    );
  });

  it('is refused where an entry is compressed', async () => {
    const bomb = deflateRawSync(Buffer.alloc(2 ** 20));
    await refuses(
      changed('archive/data/0', { data: bomb, method: 8 }),
      /^pytorch_model\.pt: the entry "archive\/data\/0" is compressed/,
    );
    await refuses(changed('archive/data.pkl', { method: 8 }), /"archive\/data\.pkl" is compressed/);
    await refuses(changed('archive/version', { method: 93 }), /"archive\/version" is compressed/);
  });

  it('is refused where an entry is encrypted', async () => {
    // Encryption puts 12 bytes before the data.
    const sealed = { flags: 0x0809, data: Buffer.alloc(28), uncompressedSize: 16 };
    await refuses(changed('archive/data/0', sealed), /"archive\/data\/0" is encrypted/);
  });

  it('is refused where entries overlap', async () => {
    // All claim the bytes of the first: a bomb of many entries over one piece of data.
    await refuses(changed('archive/data/0', { header: 0 }), /runs past the next entry at byte 0/);
    await refuses(
      changed('archive/data.pkl', { size: 2000 }),
      /"archive\/data\.pkl" runs past the next entry/,
    );
  });

  it('is refused where an entry leaves the file', async () => {
    await refuses(
      changed('archive/data/0', { size: 2 ** 31 }),
      /"archive\/data\/0" runs past the end of the file/,
    );
    await refuses(changed('archive/data/0', { header: 2 ** 31 }), /runs past the end of the file/);
  });

  it('is refused where an entry overlaps by its local header', async () => {
    const whole = zip(checkpointEntries(stateDict, storages));
    // The length of the extra field in data.pkl's local header.
    whole.writeUInt16LE(0xffff, 28);
    await assert.rejects(
      readAll(scratch.write(whole)),
      isInvalid(/"archive\/data\.pkl" runs past the next entry/),
    );
  });

  it('is refused where an entry is not at its place', async () => {
    await refuses(
      changed('archive/data/0', { header: 1, size: 0 }),
      /"archive\/data\.pkl" runs past the next entry/,
    );
    const whole = zip(checkpointEntries(stateDict, storages));
    const header = whole.lastIndexOf('PK\x03\x04');
    whole[header] = 0x51;
    await assert.rejects(
      readAll(scratch.write(whole)),
      isInvalid(new RegExp(`"archive/data/0" is not at byte ${header}`)),
    );
  });

  describe('with check values', () => {
    const views = pickle(
      dict(
        [text('a'), tensor({ shape: [2] })],
        [text('b'), tensor({ key: '1' })],
        [text('c'), tensor({ key: '1', offset: 1, shape: [3] })],
      ),
    );
    const whole = zip(
      checkpointEntries(views, { 0: float32(1, 2, 3, 4), 1: float32(5, 6, 7, 8), 2: float32(9) }),
    );
    const damagedAt = (value: Uint8Array, archive = whole) => {
      const copy = Buffer.from(archive);
      copy[archive.indexOf(value)]! ^= 1;
      return scratch.write(copy);
    };
    const damaged = (entry: string) =>
      isInvalid(new RegExp(`the entry "${entry}" does not have the check value .*download or copy it again`));

    it('is refused where the data of a tensor are damaged', async () => {
      await readAll(scratch.write(whole));
      await assert.rejects(readAll(damagedAt(float32(6))), damaged('data/1'));
    });

    it('is refused where the storage is damaged beside the view that is needed', async () => {
      await assert.rejects(readAll(damagedAt(float32(4))), damaged('data/0'));
    });

    it('is refused where the first view of a storage is a part of it', async () => {
      const checkpoint = await openCheckpoint(damagedAt(float32(6)));
      try {
        await assert.rejects(checkpoint.readFloat32('c'), damaged('data/1'));
        await assert.rejects(checkpoint.readFloat32('b'), damaged('data/1'));
      } finally {
        await checkpoint.close();
      }
    });

    it('is refused where its pickle or byte order is damaged', async () => {
      await assert.rejects(readAll(damagedAt(Buffer.from('FloatStorage'))), damaged('archive/data.pkl'));
      await assert.rejects(readAll(damagedAt(Buffer.from('little'))), damaged('archive/byteorder'));
    });

    it('is read where only what nobody needs is damaged', async () => {
      await readAll(damagedAt(float32(9)));
    });

    it('is read where it was saved without them, and says so', async () => {
      const without = withoutChecksums(whole);
      assert.equal((await readAll(damagedAt(float32(6), without))).get('b')![0], 5);
      for (const [archive, unchecked] of [
        [whole, false],
        [without, true],
      ] as const) {
        const checkpoint = await openCheckpoint(scratch.write(archive));
        await checkpoint.close();
        assert.equal(checkpoint.unchecked, unchecked);
      }
    });

    it('has nothing to check in an empty tensor', async () => {
      const empty = pickle(
        dict([text('a'), tensor({ elements: 0, shape: [0] })], [text('b'), tensor({ key: '1' })]),
      );
      const path = write(checkpointEntries(empty, { 0: Buffer.alloc(0), 1: float32(1, 2, 3, 4) }));
      const checkpoint = await openCheckpoint(path);
      assert.equal(checkpoint.unchecked, false);
      assert.equal((await checkpoint.readFloat32('a')).length, 0);
      await checkpoint.close();
    });
  });

  it('is refused with two entries of one name', async () => {
    const entries = checkpointEntries(stateDict, storages);
    await refuses([...entries, entries.at(-1)!], /has two entries "archive\/data\/0"/);
  });

  it('is refused with a pickle beyond all measure', async () => {
    await refuses(
      changed('archive/data.pkl', { data: Buffer.alloc(64 * 2 ** 20 + 1) }),
      /"archive\/data\.pkl" has 67108865 bytes, more than 67108864/,
    );
  });

  it('is refused with too many entries, before they are read', async () => {
    const whole = zip(checkpointEntries(stateDict, storages));
    const end = whole.subarray(-22);
    const record = Buffer.concat([
      Buffer.from('PK\x06\x06'),
      Buffer.alloc(20),
      ...[100_001, 100_001].map((count) => Buffer.concat([uint32(count), uint32(0)])),
      Buffer.concat([uint32(end.readUInt32LE(12)), uint32(0), uint32(end.readUInt32LE(16)), uint32(0)]),
    ]);
    const locator = Buffer.concat([
      Buffer.from('PK\x06\x07'),
      uint32(0),
      uint32(whole.length - 22),
      uint32(0),
      uint32(1),
    ]);
    const zip64 = Buffer.concat([whole.subarray(0, -22), record, locator, end]);
    await assert.rejects(
      readAll(scratch.write(zip64)),
      isInvalid(/has 100001 entries, more than the 100000/),
    );
    record.writeUInt32LE(4, 24);
    record.writeUInt32LE(4, 32);
    const honest = Buffer.concat([whole.subarray(0, -22), record, locator, end]);
    assert.deepEqual([...(await readAll(scratch.write(honest))).get('a')!], [1, 2, 3, 4]);
  });

  it('is refused with an endless comment or name', async () => {
    await refuses(
      changed('archive/version', { comment: 'x'.repeat(60_000) }),
      /has a header of more than 4096 bytes/,
    );
    await refuses([{ name: 'x'.repeat(60_000), data: Buffer.alloc(1) }], /header of more than 4096 bytes/);
  });

  it('is refused with a path that leaves the archive', async () => {
    await refuses(
      [{ name: '../archive/data.pkl', data: stateDict }],
      /is no whole zip archive \(invalid relative path/,
    );
  });

  it('is refused without exactly one data.pkl', async () => {
    await refuses(
      [{ name: 'model/pytorch_model.pt', data: stateDict }],
      /0 entries <name>\/data\.pkl.*pytorch_model\.pt/,
    );
    const two = [...checkpointEntries(stateDict, storages), { name: 'other/data.pkl', data: stateDict }];
    await refuses(two, /2 entries <name>\/data\.pkl/);
  });

  it('is refused where it is a TorchScript module', async () => {
    await refuses(
      checkpointEntries(stateDict, storages, { 'constants.pkl': 'x' }),
      /is a TorchScript module, not a state dict/,
    );
  });

  it('is refused with a hostile pickle that names the file, the pickle and the byte', async () => {
    const path = write(checkpointEntries(Buffer.from('\x80\x02cos\nsystem\n.', 'latin1')));
    await assert.rejects(
      openCheckpoint(path),
      isInvalid(/^pytorch_model\.pt: data\.pkl asks for the global "os\.system" at byte 2,/),
    );
  });
});
