/** The zone editor of forms, in a real browser: mouse, keyboard, pictures. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { root } from '../support/installed-package.ts';
import { type FlowNode, NodeRed, VERSIONS } from '../support/node-red.ts';
import type { Editor } from './editor.ts';
import { withEditor } from './with-editor.ts';

const TAB = 'first-tab';
const DOOR = {
  name: 'door',
  kind: 'zone',
  points: [
    [0.1, 0.2],
    [0.4, 0.2],
    [0.4, 0.8],
    [0.1, 0.8],
  ],
};
const GATE = {
  name: 'gate',
  kind: 'line',
  points: [
    [0.5, 0.9],
    [0.9, 0.5],
  ],
};
const IMAGE = readFileSync(join(root, 'bench', 'sequences', 'pass', '010.jpg'));

const FLOW: FlowNode[] = [
  { id: TAB, type: 'tab', label: 'Flow 1' },
  { id: 'plain', type: 'm2fp-track', z: TAB, x: 300, y: 100, wires: [[], []], name: '', configVersion: 1 },
  {
    id: 'drawn',
    type: 'm2fp-track',
    z: TAB,
    x: 300,
    y: 200,
    wires: [[], []],
    name: '',
    configVersion: 1,
    zones: JSON.stringify([DOOR, GATE]),
  },
  {
    id: 'in',
    type: 'http in',
    z: TAB,
    x: 100,
    y: 300,
    url: '/picture',
    method: 'post',
    upload: false,
    wires: [['infer']],
  },
  { id: 'infer', type: 'm2fp-infer', z: TAB, x: 300, y: 300, wires: [['drawn', 'answer'], []], name: '' },
  { id: 'answer', type: 'http response', z: TAB, x: 500, y: 300, wires: [], statusCode: '200' },
];

interface Stored {
  name: string;
  kind: string;
  points: [number, number][];
}

for (const version of VERSIONS) {
  describe(`the zone editor (${version})`, function () {
    this.timeout(120_000);
    let nodeRed: NodeRed;
    let editor: Editor;

    withEditor(
      `${version} zones`,
      () => NodeRed.start(version, FLOW),
      (open) => ({ nodeRed, editor } = open),
    );

    const button = (name: string) => editor.page.getByRole('button', { name, exact: true });
    const stored = async (): Promise<Stored[]> =>
      JSON.parse((await editor.page.locator('#node-input-zones').inputValue()) || '[]') as Stored[];
    const handle = (name: string) => editor.page.locator(`[data-handle="${name}"]`);
    const said = () => editor.page.locator('.m2fp-zones-said').innerText();
    /** The middle of a handle, in the page. */
    async function middleOf(name: string): Promise<[number, number]> {
      const box = (await handle(name).boundingBox())!;
      return [box.x + box.width / 2, box.y + box.height / 2];
    }
    async function drag(name: string, dx: number, dy: number): Promise<void> {
      const [x, y] = await middleOf(name);
      await editor.page.mouse.move(x, y);
      await editor.page.mouse.down();
      await editor.page.mouse.move(x + dx / 2, y + dy / 2);
      await editor.page.mouse.move(x + dx, y + dy);
      await editor.page.mouse.up();
    }

    it('draws a zone with the mouse, without a picture, and takes it back', async () => {
      await editor.editNode('plain', async (page) => {
        await button('zone').click();
        const [before] = await stored();
        assert.equal(before!.name, 'zone 1');
        assert.equal(before!.points.length, 4);
        await drag('0.0', -40, -30);
        const [moved] = await stored();
        assert.ok(moved!.points[0]![0] < before!.points[0]![0]);
        assert.ok(moved!.points[0]![1] < before!.points[0]![1]);
        assert.deepEqual(moved!.points.slice(1), before!.points.slice(1));
        // The middle of an edge becomes a corner.
        const middles = page.locator('.m2fp-zones-middle');
        await middles.first().click();
        assert.equal((await stored())[0]!.points.length, 5);
        await button('undo').click();
        await button('undo').click();
        assert.deepEqual(await stored(), [before]);
        await button('redo').click();
        assert.deepEqual(await stored(), [moved]);
        await button('undo').click();
        await button('undo').click();
        assert.deepEqual(await stored(), []);
      });
    });

    it('moves, adds and removes corners with the keyboard, and says so', async () => {
      await editor.editNode('drawn', async (page) => {
        await handle('0').focus();
        assert.equal(await handle('0').getAttribute('aria-label'), 'Zone door');
        await page.keyboard.press('ArrowRight');
        assert.deepEqual((await stored())[0]!.points[0], [0.11, 0.2]);
        await page.keyboard.press('Tab');
        assert.match((await page.locator(':focus').getAttribute('aria-label'))!, /^door, point 1 of 4/);
        await page.keyboard.press('Shift+ArrowDown');
        assert.deepEqual((await stored())[0]!.points[0], [0.11, 0.25]);
        assert.equal(await said(), '11 % from the left, 25 % from the top');
        await page.keyboard.press('Insert');
        assert.equal((await stored())[0]!.points.length, 5);
        assert.match((await page.locator(':focus').getAttribute('aria-label'))!, /^door, point 2 of 5/);
        await page.keyboard.press('Delete');
        await page.keyboard.press('Delete');
        assert.equal((await stored())[0]!.points.length, 3);
        await page.keyboard.press('Delete');
        assert.equal((await stored())[0]!.points.length, 3);
        assert.match(await said(), /at least three/);
        await page.keyboard.press('Control+z');
        assert.equal((await stored())[0]!.points.length, 4);
        await editor.imageOf(`${version} zones`, page.locator('.m2fp-zones'));
      });
    });

    it('keeps the focus where it goes after a name, and while steps are undone', async () => {
      await editor.editNode('drawn', async (page) => {
        const first = await stored();
        const label = () => page.evaluate(() => document.activeElement!.getAttribute('aria-label'));
        await page.getByLabel('Name of door').fill('entrance');
        await page.keyboard.press('Tab');
        assert.equal(await label(), 'Remove entrance');
        await page.keyboard.press('Tab');
        await page.keyboard.press('Control+a');
        await page.keyboard.type('exit');
        // Another name is clicked on while this one is still being written.
        await page.getByLabel('Name of entrance').click();
        assert.equal(await label(), 'Name of entrance');
        await page.keyboard.type('!');
        await page.keyboard.press('Tab');
        assert.deepEqual((await stored()).map(({ name }) => name).toSorted(), ['entrance!', 'exit']);
        await handle('0').focus();
        for (const key of ['ArrowRight', 'ArrowDown']) await page.keyboard.press(key);
        for (let step = 0; step < 4; step++) await page.keyboard.press('Control+z');
        assert.deepEqual(await stored(), first);
        assert.equal(await label(), 'Zone door');
        await page.keyboard.press('Delete');
        assert.deepEqual(await stored(), first.slice(1));
        await button('undo').click();
        assert.deepEqual(await stored(), first);
        assert.ok(await page.evaluate(() => document.activeElement!.closest('.m2fp-zones') !== null));
        await button('zone').click();
        assert.equal(await said(), 'zone 1 added');
        await page.keyboard.press('Control+z');
        assert.deepEqual(await stored(), first);
        await page.keyboard.press('Control+y');
        assert.equal((await stored()).length, 3);
        await page.keyboard.press('Control+z');
        assert.deepEqual(await stored(), first);
      });
    });

    it('takes back a name that is being written, or was refused, and no step with it', async () => {
      await editor.editNode('drawn', async (page) => {
        const names = async (): Promise<string[]> => (await stored()).map(({ name }) => name);
        const [first, second] = await names();
        assert.ok(first !== undefined && second !== undefined);
        const field = (name: string) => page.getByLabel(`Name of ${name}`, { exact: true });
        await field(first).fill('porch');
        await field(first).press('Enter');
        assert.deepEqual(await names(), ['porch', second]);
        // While it is being written.
        await field(second).fill('porch');
        await field(second).press('Control+y');
        assert.equal(await field(second).inputValue(), 'porch');
        await field(second).press('Control+z');
        assert.equal(await field(second).inputValue(), second);
        assert.deepEqual(await names(), ['porch', second]);
        // Refused, with the key and with the button, which the name is refused on the way to.
        await field(second).fill('porch');
        await field(second).press('Enter');
        assert.match(await said(), /name of its own/);
        await field(second).press('Control+z');
        assert.equal(await said(), '');
        assert.deepEqual(await names(), ['porch', second]);
        await field(second).fill('porch');
        await button('undo').click();
        assert.deepEqual(await names(), ['porch', second]);
        await button('undo').click();
        assert.deepEqual(await names(), [first, second]);
        await field(first).press('Control+y');
        assert.deepEqual(await names(), ['porch', second]);
        await field('porch').press('Control+z');
      });
    });

    it('says that a name is taken only as long as it is', async () => {
      await editor.editNode('drawn', async (page) => {
        const [first, second] = (await stored()).map(({ name }) => name);
        assert.ok(first !== undefined && second !== undefined);
        const field = (name: string) => page.getByLabel(`Name of ${name}`, { exact: true });
        const refuse = async (): Promise<void> => {
          await field(first).fill(second);
          await field(first).press('Enter');
          assert.match(await said(), /name of its own/);
        };
        await refuse();
        await field(first).press('End');
        await field(first).press('x');
        assert.equal(await said(), '');
        await field(first).press('Control+z');
        await refuse();
        await button('zone').click();
        assert.equal(await said(), 'zone 1 added');
        await refuse();
        await button('Remove zone 1').click();
        assert.equal(await said(), '');
      });
    });

    it('names zones, turns lines round, and keeps what it stored', async () => {
      await editor.editNode('drawn', async (page) => {
        await page.getByLabel('Name of door').fill('gate');
        await page.getByLabel('Name of door').press('Tab');
        assert.match(await said(), /name of its own/);
        await page.getByLabel('Name of door').fill('entrance');
        await page.getByLabel('Name of door').press('Tab');
        assert.equal((await stored())[0]!.name, 'entrance');
        await button('Turn the direction of gate round').click();
        assert.deepEqual((await stored())[1]!.points, GATE.points.toReversed());
      });
      await editor.editNode('drawn', async () => {
        assert.equal((await stored())[0]!.name, 'entrance');
        await button('Remove gate').click();
        assert.deepEqual(
          (await stored()).map(({ name }) => name),
          ['entrance'],
        );
      });
    });

    it('shows the next picture that passes the deployed node', async () => {
      await editor.editNode('drawn', async (page) => {
        await button('picture of the camera').click();
        await page.waitForFunction(() => document.querySelector('.m2fp-zones-said')!.textContent !== '');
        const answer = await fetch(`${nodeRed.url}/picture`, {
          method: 'POST',
          body: IMAGE,
          headers: { 'content-type': 'image/jpeg' },
        });
        assert.equal(answer.status, 200);
        await page.locator('.m2fp-zones-board image').waitFor();
        const box = (await page.locator('.m2fp-zones-board svg').boundingBox())!;
        assert.ok(Math.abs(box.width / box.height - 16 / 9) < 0.05);
        await editor.imageOf(`${version} zones on a picture`, page.locator('.m2fp-zones'));
      });
    });

    it('takes a picture from the disk', async () => {
      await editor.editNode('plain', async (page) => {
        const chooser = page.waitForEvent('filechooser');
        await button('picture from disk').click();
        await (await chooser).setFiles({ name: 'a.jpg', mimeType: 'image/jpeg', buffer: IMAGE });
        await page.locator('.m2fp-zones-board image').waitFor();
        const again = page.waitForEvent('filechooser');
        await button('picture from disk').click();
        await (
          await again
        ).setFiles({ name: 'a.txt', mimeType: 'text/plain', buffer: Buffer.from('no picture') });
        await page.waitForFunction(() =>
          /no picture/.test(document.querySelector('.m2fp-zones-said')!.textContent),
        );
      });
    });
  });
}
