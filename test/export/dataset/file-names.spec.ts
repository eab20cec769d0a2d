import assert from 'node:assert/strict';
import { stemOf, stemOfTopic, UniqueNames } from '../../../src/export/dataset/file-names.ts';

describe('names of files in a data set', () => {
  for (const [text, name] of [
    ['photo.jpg', 'photo'],
    ['/home/me/holiday 1/a b.JPEG', 'a_b'],
    ['../../etc/passwd', 'passwd'],
    ['..', 'image'],
    ['../', 'image'],
    ['C:\\Windows\\system32\\x.png', 'x'],
    ['.m2fp', 'm2fp'],
    ['a\0b\nc.png', 'a_b_c'],
    ['照片.webp', '照片'],
    ['con.txt', '_con.txt'],
    ['v1.2', 'v1.2'],
    ['', 'image'],
    ['x'.repeat(300), 'x'.repeat(100)],
    ['a<b>&"c".png', 'a_b_c'],
  ] as const) {
    it(`make ${JSON.stringify(text.slice(0, 40))} ${name.slice(0, 20)}`, () => {
      assert.equal(stemOf(text), name);
    });
  }

  it('have all levels of a topic', () => {
    assert.equal(stemOfTopic('house/front door/camera'), 'house-front_door-camera');
    assert.equal(stemOfTopic('/../'), 'image');
  });

  it('are given once, whatever their case', () => {
    const names = new UniqueNames();
    assert.deepEqual(
      ['a', 'a', 'A', 'a-2', 'a'].map((name) => names.take(name)),
      ['a', 'a-2', 'A-3', 'a-2-2', 'a-4'],
    );
    names.add('b');
    assert.equal(names.take('B'), 'B-2');
  });
});
