import assert from 'node:assert/strict';
import { ResultCache } from '../../../src/engine/queue/cache.ts';
import { exampleParsing } from '../support/parsings.ts';

describe('ResultCache', () => {
  const MAPS = 2 * 100_000;

  /** The bytes that one entry of this kind takes. */
  function bytesOfOne(): number {
    const cache = new ResultCache(1e9);
    cache.set('a', exampleParsing());
    return cache.info().bytes;
  }

  it('gives back what was kept, without what belongs to one asker', () => {
    const cache = new ResultCache(1e9);
    const parsing = exampleParsing();
    cache.set('a', parsing);
    const { image: _image, cached: _cached, timing: _timing, ...result } = parsing;
    assert.deepEqual(cache.get('a'), result);
    assert.equal(cache.get('b'), undefined);
  });

  it('is not changed by those who change what they gave or got', () => {
    const cache = new ResultCache(1e9);
    const parsing = exampleParsing();
    cache.set('a', parsing);
    const before = structuredClone(cache.get('a'));
    parsing.parts[0]!.label = 'changed';
    parsing.labels.length = 0;
    const got = cache.get('a')!;
    got.persons[0]!.box.x = 99;
    got.parts[0]!.mask.size[0] = 99;
    got.model.id = 'changed';
    assert.deepEqual(structuredClone(cache.get('a')), before);
    assert.equal(got.labelMap, parsing.labelMap, 'Buffers are shared');
  });

  it('counts the maps, the strings and the objects', () => {
    const one = bytesOfOne();
    const { parts, persons } = exampleParsing();
    const strings = [...parts, ...persons].reduce((sum, { mask }) => sum + mask.counts.length, 0);
    assert.ok(one > MAPS + strings, `${one}`);
    assert.ok(one < MAPS + strings + 4000, `${one}`);
  });

  it('counts the whole memory of which a map is a window, once', () => {
    const memory = new ArrayBuffer(1e6);
    const parsing = {
      ...exampleParsing(),
      labelMap: Buffer.from(memory, 100, 100),
      personMap: Buffer.from(memory, 500, 100),
    };
    const cache = new ResultCache(1e9);
    cache.set('a', parsing);
    const { bytes } = cache.info();
    assert.ok(bytes >= 1e6 && bytes < 1.01e6, `${bytes}`);
  });

  it('drops those that were not asked for the longest', () => {
    const one = bytesOfOne();
    const cache = new ResultCache(3 * one);
    for (const key of ['a', 'b', 'c']) cache.set(key, exampleParsing());
    cache.get('a');
    cache.set('d', exampleParsing());
    assert.deepEqual(
      ['a', 'b', 'c', 'd'].filter((key) => cache.get(key) !== undefined),
      ['a', 'c', 'd'],
    );
    assert.deepEqual(cache.info(), { entries: 3, bytes: 3 * one, limit: 3 * one });
  });

  it('counts an entry that is set again only once', () => {
    const cache = new ResultCache(1e9);
    cache.set('a', exampleParsing());
    cache.set('a', exampleParsing());
    assert.deepEqual(cache.info(), { entries: 1, bytes: bytesOfOne(), limit: 1e9 });
  });

  it('does not keep what is larger than all of it, and loses nothing for it', () => {
    const one = bytesOfOne();
    const cache = new ResultCache(1.5 * one);
    cache.set('a', exampleParsing());
    cache.set('b', { ...exampleParsing(), labelMap: Buffer.alloc(2 * one) });
    assert.equal(cache.get('b'), undefined);
    assert.ok(cache.get('a'));
  });

  it('drops what does not fit any more when it becomes smaller', () => {
    const one = bytesOfOne();
    const cache = new ResultCache(3 * one);
    for (const key of ['a', 'b', 'c']) cache.set(key, exampleParsing());
    cache.resize(one);
    assert.ok(cache.get('c'));
    assert.deepEqual(cache.info(), { entries: 1, bytes: one, limit: one });
  });

  it('is empty when it was cleared', () => {
    const cache = new ResultCache(1e9);
    cache.set('a', exampleParsing());
    cache.clear();
    assert.equal(cache.get('a'), undefined);
    assert.deepEqual(cache.info(), { entries: 0, bytes: 0, limit: 1e9 });
  });
});
