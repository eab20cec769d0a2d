/** Every example as a user imports it: nothing unknown or invalid, and nothing lies on anything else. */
import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { root } from '../support/installed-package.ts';
import { NodeRed, VERSIONS } from '../support/node-red.ts';
import { Editor } from './editor.ts';

const EXAMPLES = readdirSync(join(root, 'examples'))
  .filter((file) => file.endsWith('.json'))
  .map((file) => file.replace(/\.json$/, ''));
const WITH_PREVIEW = ['1 First picture', '7 Privacy', '13 Try-on masks'];

for (const version of VERSIONS) {
  describe(`the examples in the editor (${version})`, function () {
    this.timeout(120_000);
    let nodeRed: NodeRed;
    let editor: Editor;

    before(async () => {
      nodeRed = await NodeRed.start(version, [{ id: 'first-tab', type: 'tab', label: 'Flow 1' }]);
      editor = await Editor.open(nodeRed.url);
    });
    after(async () => {
      await editor?.close();
      await nodeRed?.stop();
    });
    afterEach(() => assert.deepEqual(editor.complaints.splice(0), []));

    /** The nodes of a tab that are unknown or invalid. */
    const wrongOn = (tab: string) =>
      editor.page.evaluate(
        (z) =>
          RED.nodes
            .filterNodes({ z })
            .map(({ id }) => RED.nodes.node(id)!)
            .filter(({ type, valid }) => type === 'unknown' || valid === false)
            .map(({ type, validationErrors }) => `${type}: ${validationErrors?.join()}`),
        tab,
      );

    /** Pairs of things on the canvas that overlap: nodes, and pictures below them. */
    const overlaps = () =>
      editor.page.evaluate(() => {
        const things = [
          ...document.querySelectorAll('.red-ui-flow-node-group .red-ui-flow-node, .m2fp-preview'),
        ].filter(
          (thing) =>
            !thing.closest('.red-ui-palette-node') && !/icon/.test(thing.getAttribute('class') ?? ''),
        );
        const boxes = things
          .map((thing) => thing.getBoundingClientRect())
          .filter(({ width, height }) => width > 25 && height > 15);
        return boxes.flatMap((one, index) =>
          boxes
            .slice(index + 1)
            .filter(
              (other) =>
                Math.min(one.right, other.right) - Math.max(one.left, other.left) > 2 &&
                Math.min(one.bottom, other.bottom) - Math.max(one.top, other.top) > 2,
            )
            .map((other) => `${one.x},${one.y} and ${other.x},${other.y}`),
        );
      });

    /** Previews that reach, with their legend, out of the group that their node is in. */
    const outOfGroups = () =>
      editor.page.evaluate(() =>
        [...document.querySelectorAll('.m2fp-preview')].flatMap((preview) => {
          const node = RED.nodes.node(preview.closest('.red-ui-flow-node-group')!.id)!;
          if (typeof node['g'] !== 'string') return [];
          const group = document.getElementById(node['g'])!.getBoundingClientRect();
          const { left, top, right, bottom } = preview.getBoundingClientRect();
          const isInside =
            left >= group.left && top >= group.top && right <= group.right && bottom <= group.bottom;
          return isInside ? [] : [`${String(node['id'])}: ${left} to ${right}, ${top} to ${bottom}`];
        }),
      );

    for (const name of EXAMPLES.filter((each) => !each.includes('(needs'))) {
      it(`imports ${name}`, async () => {
        const tab = await editor.importExample(name);
        assert.deepEqual(await wrongOn(tab), []);
        if (WITH_PREVIEW.includes(name)) {
          await editor.deploy();
          const inject = await editor.nodeOn(tab, 'inject');
          const preview = await editor.nodeOn(tab, 'm2fp-preview');
          await editor.page.locator(`[id="${inject}"] .red-ui-flow-node-button-button`).click();
          await editor.page.locator(`[id="${preview}"] image[href^="blob:"]`).waitFor();
        }
        assert.deepEqual(await overlaps(), []);
        assert.deepEqual(await outOfGroups(), []);
        await editor.screenshot(`${version} example ${name}`);
      });
    }

    it('has one model node after all of them, which one edit changes', async () => {
      const found = await editor.page.evaluate(() => ({
        models: RED.nodes
          .createCompleteNodeSet()
          .filter(({ type }) => type === 'm2fp-model')
          .map(({ id, name }) => ({ id, name: String(name) })),
        wired: RED.nodes
          .createCompleteNodeSet()
          .filter(({ type }) => type === 'm2fp-infer')
          .map((node) => node['model']),
      }));
      assert.equal(found.models.length, 1);
      assert.match(found.models[0]!.name, /^people model/);
      assert.deepEqual([...new Set(found.wired)], [found.models[0]!.id]);
      assert.ok(found.wired.length >= 8);
    });

    it('imports the one for Dashboard 2, of which only the dashboard is unknown', async () => {
      await editor.importExample(EXAMPLES.find((each) => each.includes('(needs'))!);
      const unknown = await editor.page.evaluate(() =>
        RED.nodes
          .createCompleteNodeSet()
          .filter(({ id }) => RED.nodes.node(id)?.type === 'unknown')
          .map(({ type }) => type),
      );
      assert.ok(unknown.length > 0);
      assert.deepEqual(
        unknown.filter((type) => !type.startsWith('ui-')),
        [],
      );
      await editor.screenshot(`${version} example Dashboard`);
    });
  });
}
