/** Thumbnails under the nodes and the enlarged view, in a real browser. */
import assert from 'node:assert/strict';
import type { Locator } from 'playwright-core';
import { NodeRed, VERSIONS } from '../support/node-red.ts';
import { Editor } from './editor.ts';
import { FLOW, isActive, press, shown, TAB, thumbnail, viewer } from './preview-page.ts';
import { withEditor } from './with-editor.ts';

for (const version of VERSIONS) {
  describe(`the preview (${version})`, function () {
    this.timeout(120_000);
    let nodeRed: NodeRed;
    let editor: Editor;

    withEditor(
      `${version} preview`,
      () => NodeRed.start(version, FLOW),
      (open) => ({ nodeRed, editor } = open),
    );

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

      const image = () => canvas.evaluate((element: HTMLCanvasElement) => element.toDataURL());
      const before = await image();
      const [box] = await viewer(editor).getByRole('checkbox').all();
      await box!.uncheck();
      assert.notEqual(await image(), before);
      await box!.check();
      assert.equal(await image(), before);
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
