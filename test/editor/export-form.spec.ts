/** The form of export annotations, in a real browser. */
import assert from 'node:assert/strict';
import { type FlowNode, NodeRed, VERSIONS } from '../support/node-red.ts';
import type { Editor } from './editor.ts';
import { withEditor } from './with-editor.ts';

const TAB = 'first-tab';
const FLOW: FlowNode[] = [
  { id: TAB, type: 'tab', label: 'Flow 1' },
  { id: 'export', type: 'm2fp-export', z: TAB, x: 200, y: 100, wires: [[]], name: '' },
];

/** Fields that only some formats have. */
const OF_FORMATS = {
  coco: ['content', 'shapes', 'iou'],
  'coco-panoptic': ['content'],
  'yolo-seg': ['content', 'iou'],
  voc: ['content'],
  labelme: ['content', 'shapes', 'iou'],
  cvat: ['content', 'shapes', 'iou'],
  'label-studio': ['content', 'shapes', 'iou'],
  cihp: [],
};

for (const version of VERSIONS) {
  describe(`the form of export annotations (${version})`, function () {
    this.timeout(120_000);
    let editor: Editor;

    withEditor(
      `${version} export form`,
      () => NodeRed.start(version, FLOW),
      (open) => ({ editor } = open),
    );

    const field = (name: string) => editor.page.locator(`#node-input-${name}`);

    it('shows what each format has, and stores what was chosen', async () => {
      await editor.editNode('export', async () => {
        assert.equal(await field('folder').inputValue(), 'dataset');
        await editor.screenshot(`${version} export form`);
        for (const [format, fields] of Object.entries(OF_FORMATS)) {
          await field('format').selectOption(format);
          const shown = [];
          for (const name of ['content', 'shapes', 'iou'])
            if (await field(name).isVisible()) shown.push(name);
          assert.deepEqual(shown, fields, format);
        }
        await field('format').selectOption('cvat');
        await field('shapes').selectOption('masks');
        await field('folder').fill('shop window');
        await field('validation').fill('20');
      });
      const { format, shapes, folder, validation, configVersion, valid } = await editor.page.evaluate(
        () => RED.nodes.node('export') as unknown as Record<string, unknown>,
      );
      assert.deepEqual(
        { format, shapes, folder, validation: Number(validation), configVersion, valid },
        {
          format: 'cvat',
          shapes: 'masks',
          folder: 'shop window',
          validation: 20,
          configVersion: 1,
          valid: true,
        },
      );
    });
  });
}
