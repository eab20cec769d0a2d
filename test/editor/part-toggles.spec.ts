/** The list of labels in the forms, in a real browser. */
import assert from 'node:assert/strict';
import { type FlowNode, NodeRed, VERSIONS } from '../support/node-red.ts';
import { Editor } from './editor.ts';
import { withEditor } from './with-editor.ts';

const TAB = 'first-tab';

/** A node with a list of labels, from a flow that says nothing of what came later. */
const crop = (id: string, y: number, labels: string): FlowNode => {
  const before = { what: 'person-parts', mode: 'box', padding: '0', minArea: 1, minScore: 0, max: 255 };
  const common = { format: 'png', quality: 90, output: 'sequence', configVersion: 1 };
  return { id, type: 'm2fp-crop', z: TAB, x: 200, y, wires: [[]], name: id, ...before, ...common, labels };
};
const FLOW: FlowNode[] = [
  { id: TAB, type: 'tab', label: 'Flow 1' },
  { id: 'model', type: 'm2fp-model', name: 'my model', source: 'bundled', configVersion: 1 },
  crop('some', 100, 'Hair, left arm, Glove'),
  crop('all', 200, ''),
];

for (const version of VERSIONS) {
  describe(`part toggles (${version})`, function () {
    this.timeout(120_000);
    let editor: Editor;

    withEditor(
      `${version} toggles`,
      () => NodeRed.start(version, FLOW),
      (open) => ({ editor } = open),
    );

    const part = (name: string) => editor.page.getByRole('checkbox', { name, exact: true });
    const button = (name: string) => editor.page.getByRole('button', { name, exact: true });
    const stored = () => editor.page.locator('#node-input-labels').inputValue();
    const count = () => editor.page.locator('.m2fp-parts-count').innerText();
    const labelsOf = () => editor.page.getByLabel('Labels of');
    const isMixed = (name: string) =>
      part(name).evaluate((box) => (box as { indeterminate?: boolean }).indeterminate);
    /** Opens the form; resolves when the labels are there. */
    const edit = (id: string, look: () => Promise<void>) =>
      editor.editNode(id, async () => {
        await part('Face').waitFor();
        await look();
      });

    it("show what is chosen among the labels of the flow's model, and leave it as it is", async () => {
      await edit('some', async () => {
        assert.equal(await labelsOf().inputValue(), 'model');
        for (const name of ['Hair', 'Left arm', 'Glove']) assert.ok(await part(name).isChecked(), name);
        assert.ok(!(await part('Face').isChecked()));
        assert.ok(await isMixed('Head'));
        assert.ok(!(await isMixed('Legs')));
        assert.equal(await count(), '2 of 19 parts');
        assert.equal(await stored(), 'Hair, left arm, Glove');
        await editor.screenshot(`${version} toggles`);
      });
    });

    it('store what is ticked, by name', async () => {
      await edit('some', async () => {
        await part('Face').check();
        await part('Left arm').uncheck();
        assert.equal(await stored(), 'Hair, Face, Glove');
        await part('Legs').check();
        assert.equal(await stored(), 'Hair, Socks, Face, Left-leg, Right-leg, Glove');
        assert.equal(await count(), '5 of 19 parts');
      });
      await edit('some', async () => {
        assert.ok(await part('Face').isChecked());
        assert.equal(await stored(), 'Hair, Socks, Face, Left-leg, Right-leg, Glove');
      });
    });

    it('keep a name through a change of the labels', async () => {
      await edit('some', async () => {
        const missing = editor.page.getByRole('group', { name: 'Not in this model' });
        assert.equal(await missing.getByRole('checkbox', { name: 'Glove', exact: true }).count(), 1);
        await labelsOf().selectOption({ label: 'LIP' });
        assert.ok(await part('Glove').isChecked());
        assert.equal(await missing.count(), 0);
        await labelsOf().selectOption({ label: 'MHP-v2' });
        assert.equal(await part('Umbrella').isChecked(), false);
        assert.equal(await missing.count(), 1);
        assert.equal(await stored(), 'Hair, Socks, Face, Left-leg, Right-leg, Glove');
        await editor.screenshot(`${version} toggles MHP`);
        await part('Glove').uncheck();
        await part('Glove').check();
        assert.match(await stored(), /, Glove$/);
        await part('Glove').uncheck();
        assert.doesNotMatch(await stored(), /Glove/);
      });
    });

    it('take all, none and the others', async () => {
      await edit('all', async () => {
        assert.equal(await count(), 'All parts of any model');
        await part('Face').uncheck();
        await button('Invert').click();
        assert.equal(await stored(), 'Face');
        await button('None').click();
        assert.equal(await stored(), 'none');
        assert.match(await count(), /tick at least one/);
        await button('All').click();
        assert.equal(await stored(), '');
      });
    });

    it('mark a choice of nothing', async () => {
      await edit('all', async () => {
        await button('None').click();
      });
      const isValid = (id: string) => editor.page.evaluate((node) => RED.nodes.node(node)?.valid, id);
      assert.equal(await isValid('all'), false);
      await edit('all', async () => {
        assert.match(await count(), /tick at least one/);
        await part('Head').check();
        assert.equal(await stored(), 'Hat, Hair, Sunglasses, Face');
      });
      assert.equal(await isValid('all'), true);
    });

    it('work by keyboard', async () => {
      await edit('some', async () => {
        const { page } = editor;
        await labelsOf().focus();
        for (const name of ['All', 'None', 'Invert']) {
          await page.keyboard.press('Tab');
          assert.ok(await button(name).evaluate((at) => at === document.activeElement), name);
        }
        await page.keyboard.press('Shift+Tab');
        await page.keyboard.press('Enter');
        assert.equal(await stored(), 'none');
        for (let step = 0; step < 3; step++) await page.keyboard.press('Tab');
        await page.keyboard.press('Space');
        assert.equal(await stored(), 'Hat');
      });
    });
  });
}

describe('part toggles in other editors', function () {
  this.timeout(120_000);
  let nodeRed: NodeRed;

  before(async () => {
    nodeRed = await NodeRed.start('node-red', FLOW);
  });
  after(() => nodeRed?.stop());

  const within = async (language: string, look: (editor: Editor) => Promise<void>): Promise<void> => {
    const editor = await Editor.open(nodeRed.url, language);
    try {
      await look(editor);
      assert.deepEqual(editor.complaints, []);
    } finally {
      await editor.close();
    }
  };

  it('are in Chinese, with the names that messages have', () =>
    within('zh-CN', (editor) =>
      editor.editNode('some', async (page) => {
        await page.getByRole('checkbox', { name: '头发 (Hair)', exact: true }).waitFor();
        await editor.screenshot('zh-CN toggles');
      }),
    ));

  for (const theme of ['light', 'dark']) {
    it(`can be read in the ${theme} theme`, () =>
      within('en-US', async (editor) => {
        await editor.page.evaluate((dark) => {
          document.documentElement.classList.toggle('nr-theme-dark', dark);
        }, theme === 'dark');
        await editor.editNode('some', async (page) => {
          await page.getByRole('checkbox', { name: 'Face', exact: true }).waitFor();
          await editor.screenshot(`toggles ${theme}`);
          const texts = page.locator('.m2fp-part > span:not(.m2fp-swatch), .m2fp-parts-count');
          const colours = await texts.evaluateAll((elements) =>
            elements.map((element) => {
              const behind = (at: Element | null): string => {
                const { backgroundColor } = at
                  ? getComputedStyle(at)
                  : { backgroundColor: 'rgb(255, 255, 255)' };
                return at && backgroundColor.endsWith(', 0)') ? behind(at.parentElement) : backgroundColor;
              };
              return [element.textContent, getComputedStyle(element).color, behind(element)] as const;
            }),
          );
          assert.ok(colours.length > 20);
          for (const [text, front, back] of colours)
            assert.ok(contrast(front, back) >= 4.5, `${text}: ${front} on ${back}`);
        });
      }));
  }
});

/** The contrast of two colours "rgb(r, g, b)", as WCAG 2 defines it. */
function contrast(one: string, other: string): number {
  const luminance = (color: string): number => {
    const [red, green, blue] = color.match(/\d+/g)!.map((channel) => {
      const value = Number(channel) / 255;
      return value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
    });
    return 0.2126 * red! + 0.7152 * green! + 0.0722 * blue!;
  };
  const [dark, light] = [luminance(one), luminance(other)].toSorted((a, b) => a - b);
  return (light! + 0.05) / (dark! + 0.05);
}
