/** The form of the config node for workers on other machines, in a real browser. */
import assert from 'node:assert/strict';
import type { Locator, Request } from 'playwright-core';
import type { ModelDescription } from '../../nodes/m2fp-model/about.ts';
import { type FlowNode, freePort, NodeRed, VERSIONS } from '../support/node-red.ts';
import { Editor, type EditorOptions } from './editor.ts';
import { blemishes, unreachable } from './inspect.ts';
import { withEditor } from './with-editor.ts';

const TAB = 'first-tab';
const PASSWORD = 'correct horse';
const FLOW: FlowNode[] = [
  { id: TAB, type: 'tab', label: 'Flow 1' },
  // As it was before there were workers.
  { id: 'model', type: 'm2fp-model', name: '', source: 'bundled', configVersion: 2 },
  { id: 'infer', type: 'm2fp-infer', z: TAB, x: 200, y: 100, wires: [[], []], model: 'model' },
];

/** What Node-RED would tell of two workers. */
const PROSPECT: ModelDescription = {
  id: 'iic/cv_resnet101_image-multiple-human-parsing',
  choice: 'c0ffee',
  present: true,
  isCheckpoint: false,
  size: null,
  digest: '0123456789abcdef'.repeat(4),
  kind: 'multi',
  labels: ['Background', 'Hat', 'Hair', 'Human'],
  input: { kind: 'short-side', shortSide: 640, longSide: 1333 },
  precision: 'fp16',
  int8: null,
  isRemakable: false,
  notMakable: null,
  estimate: null,
  workers: ['hall-a', 'hall-b'].map((host) => ({
    host,
    pid: 1,
    version: '0.1.0',
    provider: 'cpu',
    fallback: null,
    threads: 4,
    slots: 2,
    loadSeconds: 1.5,
    rss: null,
  })),
};

const LOOKS: (EditorOptions & { language: string })[] = [
  { language: 'en-US', theme: 'light' },
  { language: 'zh-CN', theme: 'dark' },
];

const field = (editor: Editor, name: string): Locator => editor.page.locator(`#node-config-input-${name}`);

/** Answers in the place of Node-RED; gives what it was asked. */
async function answerEstimates(editor: Editor): Promise<Record<string, unknown>[]> {
  const asked: Record<string, unknown>[] = [];
  await editor.page.route('**/m2fp/models/estimate', async (route, request: Request) => {
    asked.push(request.postDataJSON() as Record<string, unknown>);
    await route.fulfill({ json: PROSPECT });
  });
  return asked;
}

for (const version of VERSIONS) {
  describe(`the model of workers (${version})`, function () {
    this.timeout(120_000);
    let nodeRed: NodeRed;
    let editor: Editor;
    /** An address at which nobody answers. */
    let redis: string;

    withEditor(
      `${version} workers`,
      () => NodeRed.start(version, FLOW),
      (open) => ({ nodeRed, editor } = open),
    );
    before(async () => {
      redis = `redis://127.0.0.1:${await freePort()}`;
    });

    const about = () => editor.page.getByRole('group', { name: 'About this model' });
    const flows = async (): Promise<FlowNode[]> => (await fetch(`${nodeRed.url}/flows`)).json() as never;
    /** The complaints of the browser itself about answers that are errors. */
    const refused = (status: RegExp): void => {
      assert.deepEqual(
        editor.complaints.splice(0).filter((complaint) => !status.test(complaint)),
        [],
      );
    };

    it('has a title in words', async () => {
      await editor.editConfig('model', async (page) => {
        const title = page.locator('.red-ui-tray-titlebar, .red-ui-tray-breadcrumbs').last();
        assert.match(await title.innerText(), /M2FP model/);
      });
    });

    it('hides what the workers decide, and shows what holds here', async () => {
      await answerEstimates(editor);
      await editor.editConfig('model', async (page) => {
        await page.locator('summary').click();
        const decided = ['precision', 'processes', 'threads', 'warmUp', 'idleUnload', 'maxMemory'];
        const shown = ['redis', 'queue', 'redisUsername', 'redisPassword'];
        const both = [
          'maxQueue',
          'timeout',
          'shortSide',
          'longSide',
          'cacheSize',
          'maxMegapixels',
          'maxImageSize',
        ];
        const visible = async (names: string[]): Promise<string[]> => {
          const seen = await Promise.all(names.map((name) => field(editor, name).isVisible()));
          return names.filter((_, index) => seen[index]);
        };
        assert.deepEqual(await visible([...shown, ...both]), both);
        await field(editor, 'source').selectOption('remote');
        assert.deepEqual(await visible([...decided, ...shown, ...both]), [...shown, ...both]);
        assert.equal(await field(editor, 'queue').inputValue(), 'm2fp');
        await page.getByText('no model is needed here').waitFor();
        await field(editor, 'source').selectOption('folder');
        assert.deepEqual(await visible([...decided, ...shown]), decided);
        await field(editor, 'source').selectOption('bundled');
      });
      await editor.page.unroute('**/m2fp/models/estimate');
    });

    it('says what is wrong with an address, and asks nobody about it', async () => {
      const asked = await answerEstimates(editor);
      await editor.editConfig('model', async () => {
        await about().locator('dd').first().waitFor();
        await field(editor, 'source').selectOption('remote');
        for (const [value, reason] of [
          ['', /begins with redis:\/\//],
          ['10.0.0.7:6379', /begins with redis:\/\//],
          ['redis://me:secret@10.0.0.7', /enter it in its own field/],
        ] as const) {
          await field(editor, 'redis').fill(value);
          await field(editor, 'redis').press('Tab');
          await about().getByRole('alert').filter({ hasText: reason }).waitFor();
          assert.match((await field(editor, 'redis').getAttribute('class')) ?? '', /input-error/);
        }
        assert.ok(asked.every(({ source }) => source === 'bundled'));
        await field(editor, 'redis').fill(redis);
        await about().locator('dd', { hasText: '2, places: 4 (hall-a, hall-b)' }).waitFor();
        assert.deepEqual(asked.at(-1)!['redis'], redis);
        await field(editor, 'source').selectOption('bundled');
      });
      await editor.page.unroute('**/m2fp/models/estimate');
    });

    it('keeps the password out of the flow, and shows where workers are', async () => {
      const asked = await answerEstimates(editor);
      await editor.editConfig('model', async () => {
        await field(editor, 'source').selectOption('remote');
        await field(editor, 'redis').fill(redis);
        await field(editor, 'queue').fill('cams');
        await field(editor, 'redisUsername').fill('me');
        const sent = editor.page.waitForRequest(
          (request) => request.postData()?.includes(PASSWORD) === true && request.url().endsWith('estimate'),
        );
        await field(editor, 'redisPassword').fill(PASSWORD);
        await sent;
      });
      assert.deepEqual(asked.at(-1)!['credentials'], { redisUsername: 'me', redisPassword: PASSWORD });
      const label = await editor.page.evaluate(() => RED.utils.getNodeLabel(RED.nodes.node('model')!));
      assert.equal(label, `cams @ ${redis.replace('redis://', '')}`);
      await editor.deploy();

      const stored = (await flows()).find(({ id }) => id === 'model')!;
      assert.deepEqual([stored['redis'], stored['queue']], [redis, 'cams']);
      const exported = await editor.page.evaluate(() =>
        JSON.stringify(RED.nodes.createExportableNodeSet([RED.nodes.node('model')!])),
      );
      for (const text of [JSON.stringify(stored), exported]) {
        assert.ok(text.includes('cams') && !text.includes(PASSWORD) && !text.includes('redisUsername'), text);
      }

      await editor.reload();
      await answerEstimates(editor);
      await editor.editConfig('model', async () => {
        assert.equal(await field(editor, 'redisUsername').inputValue(), 'me');
        // Node-RED gives no password back.
        assert.equal(await field(editor, 'redisPassword').inputValue(), '__PWRD__');
        await about().locator('dd', { hasText: 'hall-a' }).waitFor();
      });
      const isChanged = await editor.page.evaluate(() => RED.nodes.node('model')?.['changed'] === true);
      assert.equal(isChanged, false);
      await editor.page.unroute('**/m2fp/models/estimate');
      assert.ok(!nodeRed.log.includes(PASSWORD));
      refused(/503/);
    });

    it('tells that nobody answers, in the form and on the canvas', async () => {
      await editor.statusOf('infer', 'red');
      await editor.editConfig('model', async () => {
        await about().getByRole('alert').filter({ hasText: redis }).waitFor();
        await editor.screenshot(`${version} workers nobody`);
      });
      refused(/503/);
    });
  });
}

describe('the look of the model of workers', function () {
  this.timeout(120_000);
  let nodeRed: NodeRed;

  before(async () => {
    const remote = { source: 'remote', redis: 'redis://${HALL}:6379', queue: 'm2fp' };
    nodeRed = await NodeRed.start('node-red', [{ ...FLOW[0]! }, { ...FLOW[1]!, ...remote }, FLOW[2]!]);
  });
  after(() => nodeRed?.stop());

  for (const { language, theme } of LOOKS) {
    it(`has nothing cut, hidden, unlabelled or out of reach: ${language}, ${theme}`, async () => {
      const editor = await Editor.open(nodeRed.url, language, { theme });
      try {
        const { page, form } = editor;
        await page.setViewportSize({ width: 1400, height: 1500 });
        await answerEstimates(editor);
        await editor.editConfig('model', async () => {
          await form.locator('summary').click();
          await form.locator('.m2fp-about dd', { hasText: 'hall-a' }).waitFor();
          await editor.screenshot(`workers ${language} ${theme}`);
          assert.deepEqual([...(await blemishes(form)), ...(await unreachable(page, form))], []);
        });
      } finally {
        await editor.close();
      }
    });
  }
});
