/** Previews can be read in every theme, language and version. */
import assert from 'node:assert/strict';
import { NodeRed, type Version, VERSIONS } from '../support/node-red.ts';
import { Editor, type EditorOptions } from './editor.ts';
import { blemishes } from './inspect.ts';
import { FLOW, shown, thumbnail, viewer } from './preview-page.ts';

describe('the look of the preview', function () {
  this.timeout(120_000);
  const LOOKS: [name: string, version: Version, language: string, theme?: EditorOptions['theme']][] = [
    ['light', 'node-red', 'en-US', 'light'],
    ['dark', 'node-red', 'en-US', 'dark'],
    ['zh-CN', 'node-red', 'zh-CN', 'light'],
    ['Node-RED 4', 'node-red-4', 'en-US'],
  ];
  const nodeReds = new Map<Version, NodeRed>();

  before(async () => {
    for (const version of VERSIONS) {
      const nodeRed = await NodeRed.start(version, FLOW);
      nodeReds.set(version, nodeRed);
      await nodeRed.inject('two-people');
    }
  });
  after(async () => {
    for (const nodeRed of nodeReds.values()) await nodeRed.stop();
  });

  for (const [name, version, language, theme] of LOOKS) {
    it(`can be read (${name})`, async () => {
      const editor = await Editor.open(nodeReds.get(version)!.url, language, { theme });
      try {
        await shown(editor);
        await editor.screenshot(`${name} preview`);
        await editor.imageOf(`${name} flow`, editor.drawing('two-people'), thumbnail(editor));
        const found = await blemishes(thumbnail(editor));
        await thumbnail(editor).click();
        await viewer(editor).locator('canvas').waitFor();
        await editor.screenshot(`${name} viewer`);
        await editor.imageOf(`${name} enlarged`, viewer(editor).locator('.m2fp-viewer-box'));
        assert.deepEqual([...found, ...(await blemishes(viewer(editor)))], []);
        const hair = language === 'zh-CN' ? '头发' : 'Hair';
        const legends = [thumbnail(editor).locator('text'), viewer(editor).locator('label')];
        for (const legend of legends) assert.ok((await legend.allTextContents()).includes(hair), hair);
        assert.deepEqual(editor.complaints, []);
      } finally {
        await editor.close();
      }
    });
  }
});
