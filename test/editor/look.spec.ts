/** Every form as people see it: in Node-RED 4, in the light and the dark theme of Node-RED 5, and in Chinese. */
import assert from 'node:assert/strict';
import { type FlowNode, NodeRed, type Version, VERSIONS } from '../support/node-red.ts';
import { Editor, type EditorOptions } from './editor.ts';
import { blemishes, unreachable } from './inspect.ts';

const TAB = 'first-tab';
const NODES = ['load', 'preprocess', 'infer', 'colorize', 'crop', 'redact', 'export', 'preview', 'status'];
const FLOW: FlowNode[] = [
  { id: TAB, type: 'tab', label: 'Flow 1' },
  { id: 'model', type: 'm2fp-model', name: '', source: 'bundled', configVersion: 1 },
  ...NODES.map((name, index) => ({
    // All else is left to the defaults, but for what the label on the canvas says.
    id: name,
    type: `m2fp-${name}`,
    z: TAB,
    name: '',
    x: 200,
    y: 60 + 60 * index,
    wires: [],
    model: 'model',
    action: 'load',
  })),
];

interface Look extends EditorOptions {
  name: string;
  version: Version;
  language: string;
}
const LOOKS: Look[] = [
  { name: 'light', version: 'node-red', language: 'en-US', theme: 'light' },
  { name: 'dark', version: 'node-red', language: 'en-US', theme: 'dark' },
  { name: 'zh-CN', version: 'node-red', language: 'zh-CN', theme: 'light' },
  { name: 'Node-RED 4', version: 'node-red-4', language: 'en-US' },
];

describe('the look of the forms', function () {
  this.timeout(120_000);
  const nodeReds = new Map<Version, NodeRed>();

  before(async () => {
    for (const version of VERSIONS) nodeReds.set(version, await NodeRed.start(version, FLOW));
  });
  after(async () => {
    for (const nodeRed of nodeReds.values()) await nodeRed.stop();
  });

  for (const { name, version, language, theme } of LOOKS) {
    describe(name, () => {
      let editor: Editor;

      before(async () => {
        editor = await Editor.open(nodeReds.get(version)!.url, language, { theme });
        // Room for all of a form.
        await editor.page.setViewportSize({ width: 1400, height: 1700 });
      });
      after(() => editor?.close());
      afterEach(() => assert.deepEqual(editor.complaints.splice(0), []));

      /** Unfolds all of the form that is open, and looks at it. */
      const inspect = async (type: string): Promise<string[]> => {
        const { page, form } = editor;
        await form
          .locator('details')
          .evaluateAll((sections: HTMLDetailsElement[]) =>
            sections.forEach((section) => (section.open = true)),
          );
        const lists = form.locator('.m2fp-parts-list');
        if ((await lists.count()) > 0) await lists.first().locator('input').first().waitFor();
        if (type === 'm2fp-model') await form.locator('.m2fp-about dd').first().waitFor();
        await editor.screenshot(`${name} form ${type}`);
        const rows = form.locator('.form-row:visible');
        await editor.imageOf(`${name} ${type}`, rows.first(), rows.last());
        return [
          ...(await blemishes(form)),
          ...(await unreachable(page, form)).map((field) => `${field} is out of reach of the keyboard`),
        ];
      };

      if (language === 'zh-CN')
        it('comes with the names of the nodes in Chinese', async () => {
          for (const node of NODES) {
            const entry = editor.page.locator(`.red-ui-palette-node[data-palette-type="m2fp-${node}"]`);
            assert.match(await entry.innerText(), /[\u4e00-\u9fff]/, node);
          }
        });
      for (const node of NODES) {
        it(`of m2fp-${node} has nothing cut, hidden, unlabelled or out of reach`, async () => {
          let found: string[] = [];
          await editor.editNode(node, async () => {
            found = await inspect(`m2fp-${node}`);
          });
          assert.deepEqual(found, []);
        });
      }
      it('of m2fp-model has nothing cut, hidden, unlabelled or out of reach', async () => {
        let found: string[] = [];
        await editor.editConfig('model', async () => {
          found = await inspect('m2fp-model');
        });
        assert.deepEqual(found, []);
      });
    });
  }
});
