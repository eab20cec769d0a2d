import assert from 'node:assert/strict';
import type { EditorNode, EditorRed } from '../../../nodes/form/editor.ts';
import { firstSource, type LabelsAnswer, sourcesOf } from '../../../nodes/form/label-sets.ts';

const PARTS = [{ name: 'Hair', color: '#8b5a2b', group: 'head' }];
const SETS = ['cihp', 'lip'].map((id) => ({ id, name: id.toUpperCase(), parts: PARTS }));

function editorWith(...nodes: Partial<EditorNode>[]): EditorRed {
  return {
    nodes: {
      eachConfig(visit: (node: EditorNode) => boolean) {
        // The editor goes on only while the visitor says so.
        for (const node of nodes) if (!visit(node as EditorNode)) break;
      },
    },
    utils: { getNodeLabel: (node: EditorNode) => `label of ${node.id}` },
  } as unknown as EditorRed;
}
const model = (id: string, more: object = {}) => ({ id, type: 'm2fp-model', source: 'bundled', ...more });

describe('the labels to choose from', () => {
  it('are those of the models in the flow, by the names that they have there, and of the label sets', () => {
    const answer: LabelsAnswer = {
      sets: SETS,
      models: [
        { id: 'one', name: 'old name', parts: PARTS },
        { id: 'absent', name: '', parts: null },
        { id: 'deleted', name: '', parts: PARTS },
      ],
    };
    const RED = editorWith(model('absent'), { id: 'x', type: 'mqtt-broker' }, model('one'), model('new'));
    assert.deepEqual(
      sourcesOf(RED, answer).map(({ id, name }) => [id, name]),
      [
        ['one', 'label of one'],
        ['cihp', 'CIHP'],
        ['lip', 'LIP'],
      ],
    );
  });

  it("begin with the first model's own", () => {
    const sources = [{ id: 'one', name: '', parts: PARTS }, ...SETS];
    assert.equal(firstSource(editorWith(model('one'), model('two')), sources), 'one');
  });

  it('begin with those that the first model will have, where it is not there yet', () => {
    const single = { source: 'modelscope', modelId: 'iic/cv_resnet101_image-single-human-parsing' };
    const multi = { ...single, modelId: 'iic/cv_resnet101_image-multiple-human-parsing' };
    assert.equal(firstSource(editorWith(model('new', single)), SETS), 'lip');
    assert.equal(firstSource(editorWith(model('new', multi)), SETS), 'cihp');
    assert.equal(firstSource(editorWith(model('new', { ...single, source: 'bundled' })), SETS), 'cihp');
    assert.equal(firstSource(editorWith(), SETS), 'cihp');
  });
});
