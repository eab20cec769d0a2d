import assert from 'node:assert/strict';
import { holds, readConditions } from '../../../nodes/form/when.ts';
import { htmlOf, TYPES } from '../support/flows.ts';

const shows = (when: string, values: Record<string, string>): boolean =>
  holds(readConditions(when), (field) => values[field] ?? '');

describe('data-when', () => {
  it('holds while the field has one of the values', () => {
    assert.ok(shows('mode=overlay', { mode: 'overlay' }));
    assert.ok(!shows('mode=overlay', { mode: 'map' }));
    assert.ok(shows('mode=overlay|both', { mode: 'both' }));
    assert.ok(shows('legend=true', { legend: 'true' }));
  });

  it('holds while the field has none of them', () => {
    assert.ok(shows('format!=png', { format: 'jpeg' }));
    assert.ok(!shows('format!=png|webp', { format: 'webp' }));
  });

  it('needs all of several conditions', () => {
    assert.ok(shows('mode=overlay  format!=png', { mode: 'overlay', format: 'jpeg' }));
    assert.ok(!shows('mode=overlay format!=png', { mode: 'overlay', format: 'png' }));
    assert.ok(!shows('mode=overlay format!=png', { mode: 'map', format: 'jpeg' }));
  });

  it('refuses what is no condition', () => {
    assert.throws(() => readConditions('overlay'), /data-when: "overlay"/);
  });

  it('names fields of its form wherever a form has it', () => {
    let found = 0;
    for (const type of TYPES) {
      const html = htmlOf(type);
      for (const [, when] of html.matchAll(/data-when="([^"]*)"/g)) {
        for (const { field, values } of readConditions(when!)) {
          const id = `id="node-(config-)?input-${field}"`;
          assert.match(html, new RegExp(id), `${type}: ${field}`);
          const select = new RegExp(`<select[^>]*${id}[^]*?</select>`).exec(html)?.[0];
          for (const value of select === undefined ? [] : values)
            assert.ok(select!.includes(`value="${value}"`), `${type}: ${field}=${value}`);
          found++;
        }
      }
    }
    assert.ok(found > 0);
  });
});
