/** A Node-RED with its editor open, for the tests of a `describe`. */
import assert from 'node:assert/strict';
import type { NodeRed } from '../support/node-red.ts';
import { Editor } from './editor.ts';

export interface Open {
  nodeRed: NodeRed;
  editor: Editor;
}

/**
 * Starts both before the tests, and stops them afterwards. A test that fails leaves a screenshot; one that made the page complain
 * fails.
 *
 * @param name of the screenshot, before "failed"
 * @param opened gets both when they are there
 * @param language of the editor
 */
export function withEditor(
  name: string,
  start: () => Promise<NodeRed>,
  opened: (open: Open) => void,
  language?: string,
): void {
  let nodeRed: NodeRed | undefined;
  let editor: Editor | undefined;

  before(async () => {
    nodeRed = await start();
    editor = await Editor.open(nodeRed.url, language);
    opened({ nodeRed, editor });
  });
  after(async () => {
    await editor?.close();
    await nodeRed?.stop();
  });
  afterEach(async function () {
    if (this.currentTest?.state === 'failed') await editor?.screenshot(`${name} failed`);
    assert.deepEqual(editor?.complaints.splice(0), []);
  });
}
