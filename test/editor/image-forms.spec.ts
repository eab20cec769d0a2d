/** The forms of colorize and crop, in a real browser. */
import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { temporaryFolder } from '../support/installed-package.ts';
import { type FlowNode, NodeRed, VERSIONS } from '../support/node-red.ts';
import type { Editor } from './editor.ts';
import { withEditor } from './with-editor.ts';

const TAB = 'first-tab';

/** As version 1 stored them. */
const place = { z: TAB, x: 200, wires: [[]], name: '', format: 'png', quality: 90, configVersion: 1 };
const COLORIZE: FlowNode = {
  id: 'colorize',
  type: 'm2fp-colorize',
  y: 100,
  ...place,
  mode: 'overlay',
  opacity: 0.6,
  by: 'label',
  paint: 'parts',
  minScore: 0.3,
  background: 'transparent',
  labels: '',
  palette: 'auto',
  colors: '{"Hair":"#112233"}',
  contours: 0,
  contourColor: '#ffffff',
};
const CROP: FlowNode = {
  id: 'crop',
  type: 'm2fp-crop',
  y: 200,
  ...place,
  what: 'person-parts',
  labels: '',
  mode: 'box',
  padding: '10%',
  minArea: 1,
  minScore: 0,
  max: 255,
  output: 'sequence',
};
const FLOW: FlowNode[] = [
  { id: TAB, type: 'tab', label: 'Flow 1' },
  { id: 'model', type: 'm2fp-model', name: '', source: 'bundled', configVersion: 1 },
  COLORIZE,
  CROP,
];

for (const version of VERSIONS) {
  describe(`the forms of colorize and crop (${version})`, function () {
    this.timeout(120_000);
    let editor: Editor;

    withEditor(
      `${version} picture forms`,
      () => NodeRed.start(version, FLOW),
      (open) => ({ editor } = open),
    );

    const field = (name: string) => editor.page.locator(`#node-input-${name}`);
    const swatch = (name: string) => editor.page.locator('.m2fp-color').filter({ hasText: name });
    const button = (name: string) => editor.page.getByRole('button', { name, exact: true });
    const own = async () => JSON.parse(await field('colors').inputValue()) as Record<string, string>;
    const open = (section: string) => editor.page.locator('summary', { hasText: section }).click();
    const stored = (id: string) =>
      editor.page.evaluate((node) => RED.nodes.node(node) as unknown as Record<string, unknown>, id);
    /** Opens a form; resolves when the labels are there. */
    const edit = (id: string, look: () => Promise<void>) =>
      editor.editNode(id, async (page) => {
        await page.locator('.m2fp-part').first().waitFor({ state: 'attached' });
        await look();
      });
    /** Fills fields of any kind, and gives what they hold then. */
    const fill = async (values: Record<string, string | boolean>): Promise<void> => {
      for (const [name, value] of Object.entries(values)) {
        const at = field(name);
        if (typeof value === 'boolean') await at.setChecked(value);
        else if (await at.evaluate((element) => element.tagName === 'SELECT')) await at.selectOption(value);
        else await at.fill(value);
      }
    };

    it('show a flow of version 1 as it is, and store it as version 2', async () => {
      await edit('colorize', async () => {
        assert.equal(await field('background').inputValue(), 'remove');
        assert.equal(await field('legend').inputValue(), 'none');
        assert.equal(await field('names').isChecked(), false);
        assert.deepEqual(await own(), { Hair: '#112233' });
        await editor.screenshot(`${version} colorize form`);
      });
      await edit('crop', async () => {
        assert.equal(await field('padding').inputValue(), '10%');
        assert.equal(await field('edge').inputValue(), 'clamp');
        await editor.screenshot(`${version} crop form`);
      });
      const { background, configVersion, dim, legend, names, result } = await stored('colorize');
      assert.deepEqual(
        { background, configVersion, dim, legend, names, result },
        {
          background: 'remove',
          configVersion: 2,
          dim: '0.6',
          legend: 'none',
          names: false,
          result: 'payload',
        },
      );
      assert.equal((await stored('crop'))['configVersion'], 2);
      for (const id of ['colorize', 'crop']) assert.equal((await stored(id))['valid'], true, id);
    });

    it('keep what is filled in', async () => {
      const colorize = { background: 'dim', dim: '0.5', opacity: '0.8', by: 'person-part' };
      const text = { names: true, scores: true, legend: 'below', textSize: '14' };
      await edit('colorize', async () => {
        await fill(colorize);
        await open('Names and legend');
        await fill(text);
        await editor.screenshot(`${version} colorize names`);
      });
      await edit('colorize', async () => {
        for (const [name, value] of Object.entries({ ...colorize, ...text })) {
          const at = field(name);
          assert.equal(
            typeof value === 'boolean' ? await at.isChecked() : await at.inputValue(),
            value,
            name,
          );
        }
      });

      const crop = {
        what: 'person-groups',
        groups: 'head, upper=UpperClothes+Coat',
        mode: 'cutout',
        grow: '-2',
        feather: '6',
      };
      const frame = {
        padding: '5',
        aspect: '3:4',
        edge: 'pad',
        fill: 'white',
        scale: 'exact',
        width: '300',
        height: '400',
      };
      await edit('crop', async () => {
        await fill(crop);
        await open('Margin and size');
        await fill(frame);
        await editor.screenshot(`${version} crop frame`);
      });
      await edit('crop', async () => {
        for (const [name, value] of Object.entries({ ...crop, ...frame }))
          assert.equal(await field(name).inputValue(), value, name);
      });
      for (const id of ['colorize', 'crop']) assert.equal((await stored(id))['valid'], true, id);
    });

    it('show only what has an effect', async () => {
      const shown = async (names: string[]): Promise<string[]> => {
        const found: string[] = [];
        for (const name of names) if (await field(name).isVisible()) found.push(name);
        return found;
      };
      await edit('colorize', async () => {
        const names = ['opacity', 'by', 'background', 'dim', 'blurRadius', 'format'];
        assert.deepEqual(await shown(names), ['opacity', 'by', 'background', 'dim', 'format']);
        await fill({ background: 'blur' });
        assert.deepEqual(await shown(names), ['opacity', 'by', 'background', 'blurRadius', 'format']);
        await fill({ mode: 'map' });
        assert.deepEqual(await shown(names), ['by', 'background', 'format']);
        await fill({ mode: 'indexed' });
        assert.deepEqual(await shown(names), []);
        await editor.screenshot(`${version} colorize numbers`);
        await fill({ mode: 'overlay', background: 'dim' });
      });
      await edit('crop', async () => {
        const names = ['groups', 'grow', 'feather', 'quality'];
        assert.deepEqual(await shown(names), ['groups', 'grow', 'feather']);
        await fill({ what: 'persons', mode: 'box', format: 'jpeg' });
        assert.deepEqual(await shown(names), ['quality']);
      });
    });

    it('mark what is wrong, and open the section that has it', async () => {
      await edit('crop', async () => {
        await open('Margin and size');
        await fill({ aspect: 'tall', width: '-3', fill: 'clear' });
      });
      assert.equal((await stored('crop'))['valid'], false);
      await edit('crop', async () => {
        await field('aspect').waitFor();
        for (const name of ['aspect', 'fill'])
          assert.match((await field(name).getAttribute('class'))!, /input-error/, name);
        await fill({ aspect: '', width: '', fill: '' });
      });
      assert.equal((await stored('crop'))['valid'], true);
    });

    describe('the palette editor', () => {
      it('has a swatch for each label, whose colour is changed and reset', async () => {
        await edit('colorize', async () => {
          await open('Colours and lines');
          assert.equal(await editor.page.locator('.m2fp-color').count(), 21);
          const picker = (name: string) => swatch(name).locator('input[type="color"]');
          assert.equal(await picker('Hair').inputValue(), '#112233');
          assert.equal(await picker('Coat').inputValue(), '#f1c40f');
          await picker('Coat').fill('#00ff00');
          assert.deepEqual(await own(), { Hair: '#112233', Coat: '#00ff00' });
          await editor.screenshot(`${version} palette editor`);
          await button('Reset the colour of Hair').click();
          assert.deepEqual(await own(), { Coat: '#00ff00' });
          await fill({ palette: 'pascal' });
          assert.equal(await picker('Hair').inputValue(), '#008000');
          assert.equal(await picker('Coat').inputValue(), '#00ff00');
          await button('Reset all').click();
          assert.deepEqual(await own(), {});
          assert.equal(await picker('Coat').inputValue(), '#808080');
        });
      });

      it('exports all colours and imports a table', async () => {
        const file = join(temporaryFolder('palette'), 'colors.json');
        writeFileSync(file, JSON.stringify({ hair: 'red', Glove: [1, 2, 3] }));
        await edit('colorize', async () => {
          await open('Colours and lines');
          await editor.page.locator('.m2fp-upload').setInputFiles(file);
          await swatch('Glove').filter({ hasNotText: 'Gloves' }).waitFor();
          assert.deepEqual(await own(), { Hair: '#ff0000', Glove: '#010203' });
          const [download] = await Promise.all([
            editor.page.waitForEvent('download'),
            editor.page.locator('a[download]').click(),
          ]);
          assert.equal(download.suggestedFilename(), 'palette.json');
          const table = JSON.parse(readFileSync(await download.path(), 'utf8')) as Record<string, string>;
          assert.equal(Object.keys(table).length, 22);
          assert.equal(table['Hair'], '#ff0000');

          writeFileSync(file, '{"Hair": "hairy"}');
          await editor.page.locator('.m2fp-upload').setInputFiles(file);
          await editor.page.getByText('A JSON object of label names and colours is needed').waitFor();
          assert.deepEqual(await own(), { Hair: '#ff0000', Glove: '#010203' });
        });
      });

      it('works by keyboard', async () => {
        await edit('colorize', async () => {
          await open('Colours and lines');
          await button('Reset all').focus();
          await editor.page.keyboard.press('Enter');
          assert.deepEqual(await own(), {});
          await editor.page.keyboard.press('Tab');
          assert.ok(await button('Edit JSON').evaluate((at) => at === document.activeElement));
          await editor.page.keyboard.press('Tab');
          assert.ok(await button('Import').evaluate((at) => at === document.activeElement));
          // The file's own input is asked for; the browser's dialog may be late for a busy machine.
          const input = editor.page.locator('.m2fp-upload');
          await input.evaluate((at) =>
            at.addEventListener('click', (event) => {
              event.preventDefault();
              at.dataset['asked'] = 'yes';
            }),
          );
          await editor.page.keyboard.press('Space');
          await editor.page.locator('.m2fp-upload[data-asked]').waitFor({ state: 'attached' });
        });
      });
    });
  });
}
