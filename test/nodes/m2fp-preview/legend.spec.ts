import assert from 'node:assert/strict';
import { type Area, layOut, legendLines } from '../../../nodes/m2fp-preview/editor/legend.ts';

describe("a thumbnail's legend", () => {
  const image: Area = { left: 100, top: 100, right: 300, bottom: 300 };
  const eleven = Array.from({ length: 11 }, (_, index) => ({ name: `label ${index}`, color: '#123456' }));
  const lay = (obstacles: Area[], notice: object = { legend: eleven, labels: 11 }) =>
    layOut(
      image,
      legendLines(notice, (name) => name),
      (count) => `… ${count} more`,
      (text) => 6 * text.length,
      obstacles,
    );
  const texts = (layout: ReturnType<typeof lay>) => layout.lines.map(({ text }) => text);

  it('shows all labels below the picture where nothing is in the way', () => {
    const layout = lay([]);
    assert.deepEqual([layout.left, layout.top], [100, 304]);
    assert.equal(layout.lines.length, 11);
  });

  it('says how many more there are where there is no room for all', () => {
    const wall = { left: 0, top: 400, right: 1000, bottom: 430 };
    const beside = { left: 310, top: 90, right: 400, bottom: 120 };
    const layout = lay([wall, beside]);
    assert.equal(layout.lines.length, 6);
    assert.equal(texts(layout).at(-1), '… 6 more');
    assert.ok(layout.top + 6 * 15 <= 400);
  });

  it('lies beside the picture where more of it has room there', () => {
    const below = { left: 150, top: 330, right: 250, bottom: 360 };
    const layout = lay([below]);
    assert.deepEqual([layout.left, layout.top, layout.lines.length], [308, 100, 11]);
  });

  it('is left out where there is no room for two lines', () => {
    const around = [
      { left: 90, top: 310, right: 320, bottom: 340 },
      { left: 310, top: 110, right: 400, bottom: 140 },
    ];
    assert.deepEqual(lay(around).lines, []);
  });

  it('counts the labels that the notice does not tell', () => {
    assert.equal(texts(lay([], { legend: eleven, labels: 40 })).at(-1), '… 29 more');
    assert.deepEqual(lay([], {}).lines, []);
  });
});
