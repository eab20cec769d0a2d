import assert from 'node:assert/strict';
import { anonymous, withoutNames } from '../../src/observe/privacy.ts';

const ada = { home: '/srv/people/ada', name: 'ada' };

describe('taking names out of reports', () => {
  for (const [text, expected] of [
    ['/srv/people/ada/models and "/srv/people/ada"', '~/models and "~"'],
    ['/srv/people/adam/models', '/srv/people/adam/models'],
    ['/home/bob/.node-red', '~/.node-red'],
    ['/Users/bob', '~'],
    ['C:\\Users\\Bob\\models', '~\\models'],
    ['/data/ada/models', '/data/USER/models'],
    ['/data/ada', '/data/USER'],
    ['adapter /data/adapter/x', 'adapter /data/adapter/x'],
  ] as const) {
    it(`makes ${text} ${expected}`, () => {
      assert.equal(withoutNames(text, ada), expected);
    });
  }

  it('keeps paths of a user whose home is the root folder, or who has no name', () => {
    assert.equal(withoutNames('/data/models', { home: '/', name: '' }), '/data/models');
  });

  it('takes names for what they are, not for patterns', () => {
    assert.equal(withoutNames('/d/a.c/x /d/abc/x', { home: '/h/a.c', name: 'a.c' }), '/d/USER/x /d/abc/x');
    assert.equal(withoutNames('/h/a+c/x', { home: '/h/a+c', name: '' }), '~/x');
  });

  it('goes through all of a value', () => {
    const value = { a: ['/srv/people/ada/x', 1, null], b: { c: true, d: '/home/bob' } };
    assert.deepEqual(anonymous(value, ada), { a: ['~/x', 1, null], b: { c: true, d: '~' } });
  });
});
