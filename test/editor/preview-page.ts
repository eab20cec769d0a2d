/** A flow with previews, and where they are on the page. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Locator } from 'playwright-core';
import { root } from '../support/installed-package.ts';
import type { FlowNode } from '../support/node-red.ts';
import type { Editor } from './editor.ts';

export const TAB = 'first-tab';

const sample = (name: string): string =>
  readFileSync(join(root, 'models', 'demo', 'samples', `${name}.png`), 'base64');
const inject = (name: string, y: number): FlowNode => ({
  id: name,
  type: 'inject',
  z: TAB,
  name,
  x: 120,
  y,
  wires: [['infer']],
  topic: '',
  once: false,
  props: [{ p: 'payload' }],
  payload: sample(name),
  payloadType: 'str',
  repeat: '',
  crontab: '',
});
const preview = (id: string, z: string, x: number, y: number): FlowNode => ({
  id,
  type: 'm2fp-preview',
  z,
  name: '',
  x,
  y,
  wires: [[]],
  view: 'overlay',
  size: 200,
  minScore: 0.3,
  parsing: 'parsing',
  parsingType: 'msg',
  picture: 'payload',
  pictureType: 'msg',
  active: true,
});
export const FLOW: FlowNode[] = [
  { id: TAB, type: 'tab', label: 'Flow 1' },
  { id: 'sub', type: 'subflow', name: 'inside', in: [{ x: 60, y: 80, wires: [{ id: 'inner' }] }], out: [] },
  preview('inner', 'sub', 220, 80),
  { id: 'model', type: 'm2fp-model', name: '', source: 'bundled', configVersion: 1 },
  inject('two-people', 80),
  inject('running', 140),
  {
    id: 'infer',
    type: 'm2fp-infer',
    z: TAB,
    name: '',
    x: 300,
    y: 80,
    model: 'model',
    picture: 'payload',
    pictureType: 'msg',
    wires: [['preview'], []],
  },
  // What it passes on comes to the sub-flow.
  { ...preview('preview', TAB, 500, 80), wires: [['instance']] },
  { id: 'instance', type: 'subflow:sub', z: TAB, x: 700, y: 80, wires: [] },
];

export const thumbnail = (editor: Editor, id = 'preview'): Locator =>
  editor.drawing(id).locator('.m2fp-preview');
/** The address of the picture under the node, once it is another than `before`. */
export async function shown(editor: Editor, before = '', id = 'preview'): Promise<string> {
  const image = thumbnail(editor, id).locator(`image[href^="blob:"]:not([href="${before}"])`);
  return (await image.getAttribute('href'))!;
}
export const viewer = (editor: Editor): Locator => editor.page.locator('.m2fp-viewer');
export const isActive = (editor: Editor) => editor.page.evaluate(() => RED.nodes.node('preview')?.['active']);
/** Presses the button, whose left half lies under the port while it is off. */
export const press = (editor: Editor) =>
  editor
    .drawing('preview')
    .locator('.red-ui-flow-node-button-button')
    .click({ position: { x: 13, y: 9 } });
