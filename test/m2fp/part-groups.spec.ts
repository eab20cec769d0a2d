import assert from 'node:assert/strict';
import { LABEL_SETS, partGroup } from '../../src/m2fp/labels.ts';
import { PART_GROUPS } from '../../src/m2fp/part-groups.ts';

describe('the groups of labels', () => {
  for (const { name, labels, groups } of Object.values(LABEL_SETS)) {
    it(`of ${name} hold each part once, and neither the background nor the whole person`, () => {
      const grouped = Object.values(groups).flat();
      const parts = labels.filter((label) => label !== 'Background' && label !== 'Human');
      assert.deepEqual(grouped.toSorted(), parts.toSorted());
      for (const group of Object.keys(groups))
        assert.ok(
          PART_GROUPS.some((known) => known === group),
          group,
        );
    });
  }

  it('say where a label of any set is, in any case', () => {
    assert.equal(partGroup('Coat'), 'upperBody');
    assert.equal(partGroup('right-HIGHHEEL'), 'shoes');
    assert.equal(partGroup('Umbrella'), 'things');
  });

  for (const other of ['Background', 'Human', 'Tail']) {
    it(`say nothing of ${other}`, () => {
      assert.equal(partGroup(other), undefined);
    });
  }

  it('agree between the sets', () => {
    for (const { groups } of Object.values(LABEL_SETS)) {
      for (const [group, labels] of Object.entries(groups))
        for (const label of labels) assert.equal(partGroup(label), group, label);
    }
  });
});
