/** Thumbnails under the nodes and the enlarged view, in a real browser. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Locator } from 'playwright-core';
import { root } from '../support/installed-package.ts';
import { type FlowNode, NodeRed, type Version, VERSIONS } from '../support/node-red.ts';
import { Editor, type EditorOptions } from './editor.ts';
import { blemishes } from './inspect.ts';

const TAB = 'first-tab';

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
const FLOW: FlowNode[] = [
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

const thumbnail = (editor: Editor, id = 'preview'): Locator => editor.drawing(id).locator('.m2fp-preview');
/** The address of the picture under the node, once it is another than `before`. */
async function shown(editor: Editor, before = '', id = 'preview'): Promise<string> {
  const image = thumbnail(editor, id).locator(`image[href^="blob:"]:not([href="${before}"])`);
  return (await image.getAttribute('href'))!;
}
const viewer = (editor: Editor): Locator => editor.page.locator('.m2fp-viewer');
const isActive = (editor: Editor) => editor.page.evaluate(() => RED.nodes.node('preview')?.['active']);
/** Presses the button, whose left half lies under the port while it is off. */
const press = (editor: Editor) =>
  editor
    .drawing('preview')
    .locator('.red-ui-flow-node-button-button')
    .click({ position: { x: 13, y: 9 } });

for (const version of VERSIONS) {
  describe(`the preview (${version})`, function () {
    this.timeout(120_000);
    let nodeRed: NodeRed;
    let editor: Editor;

    before(async () => {
      nodeRed = await NodeRed.start(version, FLOW);
      editor = await Editor.open(nodeRed.url);
    });
    after(async () => {
      await editor?.close();
      await nodeRed?.stop();
    });
    afterEach(async function () {
      if (this.currentTest?.state === 'failed') await editor.screenshot(`${version} preview failed`);
      assert.deepEqual(editor.complaints.splice(0), []);
    });

    const pixel = (): Promise<number[]> =>
      viewer(editor)
        .locator('canvas')
        .evaluate((canvas: HTMLCanvasElement) => [...canvas.getContext('2d')!.getImageData(0, 0, 1, 1).data]);

    it('shows a thumbnail under the node when a message has come', async () => {
      assert.equal(await thumbnail(editor).count(), 0);
      await nodeRed.inject('two-people');
      await shown(editor);
      const box = (await thumbnail(editor).locator('image').boundingBox())!;
      const node = (await editor.drawing('preview').locator('.red-ui-flow-node').boundingBox())!;
      assert.ok(box.y > node.y + node.height, 'below the node');
      assert.deepEqual([Math.round(box.width), Math.round(box.height)], [200, 200]);
      assert.ok((await thumbnail(editor).locator('.m2fp-preview-legend text').count()) > 2, 'a legend');
      await editor.screenshot(`${version} preview`);
    });

    it('follows the messages', async () => {
      const first = await shown(editor);
      await nodeRed.inject('running');
      await shown(editor, first);
    });

    it('is there again when the page is loaded anew', async () => {
      await editor.reload();
      await shown(editor);
    });

    it('is there in the tab of a sub-flow', async () => {
      await editor.showTab('sub');
      await shown(editor, '', 'inner');
      await editor.screenshot(`${version} preview in a sub-flow`);
      await editor.showTab(TAB);
      await shown(editor);
    });

    it('opens the enlarged view, whose slider goes from the source to the map', async () => {
      await thumbnail(editor).click();
      const slider = viewer(editor).getByRole('slider');
      await slider.focus();
      await editor.page.keyboard.press('Home');
      const source = await pixel();
      assert.ok(
        source.slice(0, 3).some((value) => value > 20),
        'the background of the picture',
      );
      await editor.page.keyboard.press('End');
      assert.deepEqual(await pixel(), [0, 0, 0, 255]);
      await viewer(editor).getByRole('button', { name: 'Original' }).click();
      assert.deepEqual(await pixel(), source);
      await viewer(editor).getByRole('button', { name: 'Overlay' }).click();
      await editor.screenshot(`${version} viewer`);
    });

    it('names what lies under the pointer, and hides labels', async () => {
      const canvas = viewer(editor).locator('canvas');
      const { x, y, width, height } = (await canvas.boundingBox())!;
      const texts = new Set<string>();
      for (let step = 0; step < 64; step++) {
        const [column, row] = [(step % 8) + 0.5, Math.floor(step / 8) + 0.5];
        await editor.page.mouse.move(x + (width * column) / 8, y + (height * row) / 8);
        texts.add(await viewer(editor).locator('.m2fp-viewer-pointed').innerText());
      }
      assert.ok(
        [...texts].some((text) => /^[\w -]+ · Person \d · \d+ %$/.test(text)),
        [...texts].join(', '),
      );

      const picture = () => canvas.evaluate((element: HTMLCanvasElement) => element.toDataURL());
      const before = await picture();
      const [box] = await viewer(editor).getByRole('checkbox').all();
      await box!.uncheck();
      assert.notEqual(await picture(), before);
      await box!.check();
      assert.equal(await picture(), before);
    });

    it('closes by Escape, opens by Enter, and keeps the tabulator inside', async () => {
      const { page } = editor;
      await page.keyboard.press('Escape');
      await viewer(editor).waitFor({ state: 'detached' });
      const isFocused = (at: Locator) => at.evaluate((element) => element === document.activeElement);
      assert.ok(await isFocused(thumbnail(editor)), 'the focus is where it was');
      await page.keyboard.press('Enter');
      await viewer(editor).waitFor();
      assert.ok(await isFocused(viewer(editor).getByRole('button', { name: 'Close' })));
      const fields = await viewer(editor).locator('button, input').count();
      for (let step = 0; step < fields; step++) {
        await page.keyboard.press('Tab');
        assert.ok(await viewer(editor).evaluate((dialog) => dialog.contains(document.activeElement)));
      }
      assert.ok(await isFocused(viewer(editor).getByRole('button', { name: 'Close' })), 'once around');
      await page.keyboard.press('Enter');
      await viewer(editor).waitFor({ state: 'detached' });
    });

    it('opens once by a double click, closes in every way, and gives the keys back', async () => {
      const { page } = editor;
      const closings: (() => Promise<void>)[] = [
        () => page.keyboard.press('Escape'),
        () => viewer(editor).getByRole('button', { name: 'Close' }).click(),
        // Beside the dialog, where it is dark.
        () => viewer(editor).click({ position: { x: 4, y: 4 } }),
      ];
      for (const close of closings) {
        await thumbnail(editor).dblclick();
        await viewer(editor).locator('canvas').waitFor();
        // No second one may come, and the second click of a slow hand closes nothing.
        await page.waitForTimeout(1000);
        assert.equal(await viewer(editor).count(), 1);
        const fonts = await viewer(editor)
          .locator('label, button, h4')
          .evaluateAll((texts) => [...new Set(texts.map((one) => getComputedStyle(one).fontFamily))]);
        const own = await page
          .locator('#red-ui-header')
          .evaluate((header) => getComputedStyle(header).fontFamily);
        assert.deepEqual(fonts, [own]);
        await close();
        await viewer(editor).waitFor({ state: 'detached' });
      }
      await page.keyboard.press('Control+i');
      await page.locator('#red-ui-clipboard-dialog-ok').waitFor();
      await page.locator('#red-ui-clipboard-dialog-cancel').click();
      await page.locator('#red-ui-clipboard-dialog-ok').waitFor({ state: 'hidden' });
    });

    it('has a legend that lies on no other node, and counts what it does not show', async () => {
      const { page } = editor;
      const legend = thumbnail(editor).locator('.m2fp-preview-legend');
      const lines = () => legend.locator('text').allTextContents();
      const all = await lines();
      assert.ok(all.length > 6, all.join());
      const move = async (id: string, x: number, y: number) => {
        await page.evaluate(
          ([node, ...place]) => {
            const moved = RED.nodes.node(node)!;
            Object.assign(moved, { x: place[0], y: place[1], dirty: true, moved: true });
            RED.view.redraw();
          },
          [id, x, y] as const,
        );
      };
      // One below the picture and one beside it.
      await move('running', 500, 420);
      await move('instance', 660, 150);
      await page.waitForFunction(
        (count) => document.querySelectorAll('[id="preview"] .m2fp-preview-legend text').length < count,
        all.length,
      );
      const some = await lines();
      assert.match(some.at(-1) ?? '', /^… \d+ more$/);
      assert.equal(some.length - 1 + Number(/\d+/.exec(some.at(-1)!)![0]), all.length);
      const box = (await legend.boundingBox())!;
      for (const id of ['running', 'instance', 'infer']) {
        const node = (await editor.drawing(id).locator('.red-ui-flow-node').boundingBox())!;
        const isApart =
          node.x >= box.x + box.width ||
          node.x + node.width <= box.x ||
          node.y >= box.y + box.height ||
          node.y + node.height <= box.y;
        assert.ok(isApart, `${id} ${JSON.stringify([node, box])}`);
      }
      await editor.screenshot(`${version} legend cut`);
      await move('running', 120, 140);
      await move('instance', 700, 80);
      await page.waitForFunction(
        (count) => document.querySelectorAll('[id="preview"] .m2fp-preview-legend text').length === count,
        all.length,
      );
    });

    it('is the same in two editors, and goes from both when one switches it off', async () => {
      const second = await Editor.open(nodeRed.url);
      try {
        const [here, there] = [await shown(editor), await shown(second)];
        await nodeRed.inject('two-people');
        await Promise.all([shown(editor, here), shown(second, there)]);
        await press(editor);
        for (const one of [editor, second]) await thumbnail(one).waitFor({ state: 'detached' });
        assert.equal(await isActive(editor), false);
        await press(editor);
        await editor.page.waitForFunction(() => RED.nodes.node('preview')?.['active'] === true);
        await nodeRed.inject('two-people');
        await Promise.all([shown(editor), shown(second)]);
        assert.deepEqual(second.complaints, []);
      } finally {
        await second.close();
      }
    });

    it('goes with its node', async () => {
      await editor.drawing('preview').locator('.red-ui-flow-node').click();
      await editor.invoke('core:delete-selection');
      await thumbnail(editor).waitFor({ state: 'detached' });
      assert.equal((await fetch(`${nodeRed.url}/m2fp/previews/preview`)).status, 200);
      await editor.deploy();
      assert.equal((await fetch(`${nodeRed.url}/m2fp/previews/preview`)).status, 404);
    });
  });
}

describe('the preview where users log in', function () {
  this.timeout(120_000);
  const PASSWORD = 'secret';
  /** The same in bcrypt, with the least work. */
  const hash = '$2b$04$KPC9eQz9sd.4qheGjHgOguON9tR1DpbuWDuGNUcL6QOeC2rCLM/4S';
  let nodeRed: NodeRed;

  before(async () => {
    const user = (username: string, permissions: string) => ({ username, permissions, password: hash });
    const adminAuth = { type: 'credentials', users: [user('admin', '*'), user('reader', 'read')] };
    nodeRed = await NodeRed.start('node-red', FLOW, { adminAuth });
  });
  after(() => nodeRed?.stop());

  /** Asks with the token of a user, or without. */
  const ask = async (user: string | null, method: string, path: string): Promise<number> => {
    const headers: Record<string, string> = method === 'POST' ? { 'content-type': 'application/json' } : {};
    if (user !== null) {
      const form = {
        client_id: 'node-red-admin',
        grant_type: 'password',
        username: user,
        password: PASSWORD,
      };
      const body = new URLSearchParams({ ...form, scope: '' });
      const answer = await (await fetch(`${nodeRed.url}/auth/token`, { method: 'POST', body })).json();
      headers['authorization'] = `Bearer ${(answer as { access_token: string }).access_token}`;
    }
    return (await fetch(`${nodeRed.url}/${path}`, { method, headers })).status;
  };

  it('is for who may read, and only who may write switches it', async () => {
    const reader = await Editor.open(nodeRed.url, 'en-US', { user: { name: 'reader', password: PASSWORD } });
    try {
      // The question that comes before the login.
      reader.complaints.splice(0);
      assert.equal(await ask('admin', 'POST', 'inject/two-people'), 200);
      await shown(reader);
      await thumbnail(reader).click();
      await viewer(reader).locator('canvas').waitFor();
      await reader.page.keyboard.press('Escape');
      assert.deepEqual(reader.complaints, []);

      await press(reader);
      await reader.page
        .locator('.red-ui-notification', { hasText: 'You may look at previews, but not switch them.' })
        .waitFor();
      assert.equal(await isActive(reader), true);
      await shown(reader);
      await reader.screenshot('preview read-only');
    } finally {
      await reader.close();
    }
    for (const path of ['', '/preview', '/preview/thumbnail', '/preview/source', '/preview/maps']) {
      assert.equal(await ask(null, 'GET', `m2fp/previews${path}`), 401, path);
      assert.equal(await ask('reader', 'GET', `m2fp/previews${path}`), 200, path);
    }
    for (const user of [null, 'reader'])
      assert.equal(await ask(user, 'POST', 'm2fp/previews/preview/disable'), 401);
    assert.equal(await ask('admin', 'POST', 'm2fp/previews/preview/disable'), 200);
    assert.equal(await ask('reader', 'GET', 'm2fp/previews/preview/thumbnail'), 404);
  });
});

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
        const hair = language === 'zh-CN' ? '头发 (Hair)' : 'Hair';
        const legends = [thumbnail(editor).locator('text'), viewer(editor).locator('label')];
        for (const legend of legends) assert.ok((await legend.allTextContents()).includes(hair), hair);
        assert.deepEqual(editor.complaints, []);
      } finally {
        await editor.close();
      }
    });
  }
});
