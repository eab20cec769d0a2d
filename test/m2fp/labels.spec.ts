import assert from 'node:assert/strict';
import type { ModelConfiguration } from '../../src/m2fp/configuration.ts';
import { LABEL_SET_NAMES, modelLabels, type LabelOverrides } from '../../src/m2fp/labels.ts';

const configuration: ModelConfiguration = { backbone: {}, encoder: {}, decoder: {} };
const names = (count: number) => Array.from({ length: count }, (_, index) => `label ${index}`);
const withHuman = (count: number) => [...names(count - 1), 'Human'];

describe('labels and kind', () => {
  for (const [classes, kind, index, label] of [
    [8, 'multi', 6, 'Upper-arm'],
    [20, 'single', 10, 'Jumpsuits'],
    [21, 'multi', 10, 'Torso-skin'],
    [60, 'multi', 10, 'Bikini/bra'],
  ] as const) {
    it(`follow from ${classes} classes where nothing else tells`, () => {
      const found = modelLabels(classes, undefined);
      assert.equal(found.kind, kind);
      assert.equal(found.labels.length, classes);
      assert.equal(found.labels[index], label);
      assert.equal(found.humanIndex, kind === 'multi' ? classes - 1 : null);
      assert.equal(found.labels.at(-1) === 'Human', kind === 'multi');
      assert.deepEqual(found.warnings, []);
      assert.deepEqual(found.origins, { kind: 'tensors', labels: 'tensors', humanIndex: 'tensors' });
    });
  }

  it('come from the configuration before that', () => {
    const classes = ['bg', 'a', 'b'];
    assert.deepEqual(modelLabels(3, { ...configuration, classes, singleHuman: true }), {
      kind: 'single',
      labels: classes,
      humanIndex: null,
      warnings: [],
      origins: { kind: 'configuration', labels: 'configuration', humanIndex: 'configuration' },
    });
  });

  it('of a configuration that lists parts only get the whole person', () => {
    const found = modelLabels(3, { ...configuration, classes: ['bg', 'a'], singleHuman: false });
    assert.deepEqual(found.labels, ['bg', 'a', 'Human']);
    assert.equal(found.humanIndex, 2);
  });

  it('of the user come first', () => {
    const own = { ...configuration, classes: ['bg', 'a', 'b'], singleHuman: true };
    const found = modelLabels(3, own, { kind: 'multi', labels: ['x', 'y', 'Human'] });
    assert.deepEqual(found, {
      kind: 'multi',
      labels: ['x', 'y', 'Human'],
      humanIndex: 2,
      warnings: ['configuration.json says model.single_human = true; used as multi-human, as told'],
      origins: { kind: 'user', labels: 'user', humanIndex: 'user' },
    });
  });

  for (const labels of LABEL_SET_NAMES) {
    it(`by the name of a set, with its kind: ${labels}`, () => {
      const sizes = { cihp: 21, lip: 20, 'mhp-v2': 60, 'pascal-person-part': 8 };
      const { kind, origins, warnings } = modelLabels(sizes[labels], undefined, { labels });
      assert.equal(kind, labels === 'lip' ? 'single' : 'multi');
      assert.deepEqual([origins, warnings], [{ kind: 'user', labels: 'user', humanIndex: 'user' }, []]);
    });
  }

  it('of LIP get the whole person for a multi-human network', () => {
    const { labels, humanIndex } = modelLabels(21, undefined, { labels: 'lip', kind: 'multi' });
    assert.deepEqual([labels[10], labels[20], humanIndex], ['Jumpsuits', 'Human', 20]);
  });

  it('tell the kind by the whole person where nothing else does', () => {
    const { kind, origins } = modelLabels(5, undefined, { labels: withHuman(5) });
    assert.deepEqual([kind, origins['kind']], ['multi', 'user']);
    assert.equal(
      modelLabels(5, { ...configuration, classes: withHuman(5) }).origins['kind'],
      'configuration',
    );
  });

  describe('of the user are refused', () => {
    for (const [title, classes, overrides, reason] of [
      ['in a wrong number', 3, { labels: ['x'] }, /1 names, but the network has 3 classes/],
      ['of a set of another size', 60, { labels: 'lip' }, /20 names, but the network has 60 classes/],
      ['of no set', 21, { labels: 'chip' }, /no label set "chip": give cihp, lip, mhp-v2/],
      ['of no set, with a name of every object', 21, { labels: 'constructor' }, /no label set "constructor"/],
      ['of no kind', 21, { kind: 'both' }, /kind is "both", allowed are multi and single/],
      ['with one name twice', 3, { kind: 'single', labels: ['a', 'b', 'A '] }, /0 and 2 have the same name/],
      ['with an empty name', 3, { kind: 'single', labels: ['a', ' ', 'b'] }, /label 1 is empty/],
      ['with the person not last', 3, { labels: ['a', 'human', 'b'] }, /Human, is not the last/],
      ['without a kind', 5, { labels: names(5) }, /say --kind multi or --kind single/],
      ['where LIP has no person', 20, { kind: 'multi', labels: 'lip' }, /21 names, but .* 20 classes/],
    ] as const) {
      it(title, () => {
        assert.throws(() => modelLabels(classes, undefined, overrides as LabelOverrides), {
          code: 'M2FP_BAD_OPTION',
          message: reason,
        });
      });
    }
  });

  describe('of a contradictory configuration are refused', () => {
    const cases: [title: string, classes: number, contents: Partial<ModelConfiguration>, reason: RegExp][] = [
      ['that nothing names', 5, {}, /--labels and the kind with --kind/],
      ['that names no kind', 5, { classes: names(5) }, /say --kind multi or --kind single/],
      [
        'of one kind, with the classes of another',
        21,
        { singleHuman: true },
        /says .* single-human, but 21 .* CIHP/,
      ],
      ['the other way round', 20, { singleHuman: false }, /multi-human, but 20 classes are those of LIP/],
      [
        'with one name twice',
        21,
        { classes: [...names(20), 'label 7'] },
        /7 and 20 have the same name "label 7"/,
      ],
      ['with an empty name', 21, { classes: ['', ...names(20)] }, /label 0 is empty.*--labels/],
      ['with a person out of range', 21, { numParsing: 25 }, /num_parsing = 25, .* is the last, 20/],
      ['with a person in the middle', 21, { numParsing: 5 }, /num_parsing = 5/],
      ['with the background as person', 21, { numParsing: 0 }, /num_parsing = 0/],
    ];
    for (const [title, classes, contents, reason] of cases) {
      it(title, () => {
        const given = { ...configuration, ...contents };
        assert.throws(() => modelLabels(classes, given), {
          code: 'M2FP_CHECKPOINT_INVALID',
          message: reason,
        });
      });
    }
  });

  it('of --kind alone need the names where the number of classes tells another kind', () => {
    assert.throws(() => modelLabels(20, undefined, { kind: 'multi' }), {
      code: 'M2FP_CHECKPOINT_INVALID',
      message: /The option says that the model is multi-human, but 20 classes are those of LIP.*--labels/,
    });
  });

  describe('that look odd are warned about:', () => {
    for (const [title, classes, contents, reason] of [
      ['a part as the person', 20, { singleHuman: false, classes: names(20) }, /"label 19", is taken for/],
      ['a person among parts', 21, { singleHuman: true, classes: withHuman(21) }, /Human is unusual/],
      [
        'another number of names',
        21,
        { classes: names(7) },
        /names 7 labels, .* 21 classes: its names are not/,
      ],
    ] as const) {
      it(title, () => {
        const { warnings } = modelLabels(classes, { ...configuration, ...contents });
        assert.equal(warnings.length, 1);
        assert.match(warnings[0]!, reason);
      });
    }
  });

  it('of a single-human configuration ignore its num_parsing', () => {
    const found = modelLabels(20, { ...configuration, singleHuman: true, numParsing: 20 });
    assert.equal(found.humanIndex, null);
  });

  it('say that the person was read', () => {
    assert.equal(
      modelLabels(21, { ...configuration, numParsing: 20 }).origins['humanIndex'],
      'configuration',
    );
  });
});
