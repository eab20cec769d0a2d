/** What people type into the palette's filter finds our nodes, and a node that was just dragged out of it works. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import packageJson from '../../package.json' with { type: 'json' };
import { root } from '../support/installed-package.ts';
import { type FlowNode, NodeRed, VERSIONS } from '../support/node-red.ts';
import { Editor } from './editor.ts';

const TAB = 'first-tab';
const FLOW: FlowNode[] = [
  { id: TAB, type: 'tab', label: 'Flow 1' },
  {
    id: 'inject',
    type: 'inject',
    z: TAB,
    x: 160,
    y: 100,
    wires: [],
    name: '',
    topic: '',
    once: false,
    repeat: '',
    crontab: '',
    props: [{ p: 'payload' }],
    payload: readFileSync(join(root, 'models', 'demo', 'samples', 'two-people.png'), 'base64'),
    payloadType: 'str',
  },
];

/** All nodes of the palette: what the package is about finds them. */
const EVERY = Object.keys(packageJson['node-red'].nodes).filter((type) => type !== 'm2fp-model');

/** What is typed, and the nodes that it must find among others. */
const WORDS: Record<string, Record<string, string[]>> = {
  'en-US': {
    human: EVERY,
    rtsp: ['m2fp-camera'],
    mjpeg: ['m2fp-camera'],
    snapshot: ['m2fp-camera'],
    frigate: ['m2fp-camera'],
    webcam: ['m2fp-camera'],
    motion: ['m2fp-camera'],
    api: ['m2fp-request', 'm2fp-response', 'm2fp-jobs'],
    person: ['m2fp-infer', 'm2fp-crop', 'm2fp-describe'],
    clothes: ['m2fp-describe'],
    describe: ['m2fp-describe'],
    people: ['m2fp-infer', 'm2fp-colorize', 'm2fp-redact'],
    face: ['m2fp-redact', 'm2fp-crop'],
    parsing: ['m2fp-infer'],
    segmentation: ['m2fp-infer'],
    mask: ['m2fp-infer', 'm2fp-redact', 'm2fp-mask'],
    garment: ['m2fp-mask'],
    'try-on': ['m2fp-mask'],
    inpaint: ['m2fp-mask'],
    blur: ['m2fp-redact'],
    privacy: ['m2fp-redact'],
    colour: ['m2fp-colorize', 'm2fp-describe'],
    color: ['m2fp-colorize', 'm2fp-describe'],
    image: ['m2fp-infer', 'm2fp-preprocess', 'm2fp-preview', 'm2fp-crop'],
    picture: ['m2fp-infer', 'm2fp-preprocess', 'm2fp-preview', 'm2fp-crop'],
    hide: ['m2fp-redact'],
    count: ['m2fp-infer'],
    pixelate: ['m2fp-redact'],
    camera: ['m2fp-camera', 'm2fp-infer', 'm2fp-preview'],
    health: ['m2fp-status'],
    export: ['m2fp-export'],
    annotation: ['m2fp-export'],
    dataset: ['m2fp-export'],
    coco: ['m2fp-export'],
    yolo: ['m2fp-export'],
    cvat: ['m2fp-export'],
    m2fp: ['m2fp-infer', 'm2fp-load', 'm2fp-status'],
  },
  'zh-CN': {
    人体: EVERY,
    摄像头: ['m2fp-camera', 'm2fp-infer'],
    监控: ['m2fp-camera', 'm2fp-status'],
    人: EVERY,
    脸: ['m2fp-redact', 'm2fp-crop'],
    人脸: ['m2fp-redact', 'm2fp-crop'],
    分割: ['m2fp-infer'],
    解析: ['m2fp-infer'],
    掩码: ['m2fp-infer'],
    模糊: ['m2fp-redact'],
    隐私: ['m2fp-redact'],
    颜色: ['m2fp-colorize'],
    图像: ['m2fp-infer', 'm2fp-colorize'],
    衣服: ['m2fp-describe'],
    导出: ['m2fp-export'],
    标注: ['m2fp-export'],
    数据集: ['m2fp-export'],
    yolo: ['m2fp-export'],
    打码: ['m2fp-redact'],
    马赛克: ['m2fp-redact'],
    human: EVERY,
    person: ['m2fp-infer', 'm2fp-crop'],
    people: ['m2fp-infer', 'm2fp-colorize', 'm2fp-redact'],
    face: ['m2fp-redact', 'm2fp-crop'],
    parsing: ['m2fp-infer'],
    segmentation: ['m2fp-infer'],
    mask: ['m2fp-infer', 'm2fp-redact', 'm2fp-mask'],
    试衣: ['m2fp-mask'],
    重绘: ['m2fp-mask'],
    服装: ['m2fp-mask'],
    blur: ['m2fp-redact'],
    privacy: ['m2fp-redact'],
    colour: ['m2fp-colorize', 'm2fp-describe'],
    color: ['m2fp-colorize', 'm2fp-describe'],
    image: ['m2fp-infer', 'm2fp-preview'],
    picture: ['m2fp-infer', 'm2fp-preview'],
    图片: ['m2fp-infer', 'm2fp-preprocess', 'm2fp-preview', 'm2fp-crop'],
  },
};

for (const version of VERSIONS) {
  describe(`the palette (${version})`, function () {
    this.timeout(120_000);
    let nodeRed: NodeRed;
    let editor: Editor;

    before(async () => {
      nodeRed = await NodeRed.start(version, FLOW);
    });
    after(() => nodeRed?.stop());
    afterEach(async function () {
      if (this.currentTest?.state === 'failed') await editor.screenshot(`${version} palette failed`);
      await editor?.close();
    });

    for (const [language, words] of Object.entries(WORDS)) {
      it(`finds the nodes by the words that people search for (${language})`, async () => {
        editor = await Editor.open(nodeRed.url, language);
        const { page } = editor;
        await editor.screenshot(`${version} palette ${language}`);
        const filter = page.locator('#red-ui-palette-search input');
        for (const [word, types] of Object.entries(words)) {
          await filter.fill('');
          await filter.pressSequentially(word);
          // What an input method writes comes without keys; the last one that is pressed is no letter.
          await filter.press('Shift');
          // The filter waits for the end of the typing.
          for (const type of types)
            await page.locator(`[data-palette-type="${type}"]`).waitFor({ state: 'visible', timeout: 5000 });
          // Of others, and of ours where the word is not about all.
          for (const other of ['inject', ...(types.includes('m2fp-load') ? [] : ['m2fp-load'])])
            await page.locator(`[data-palette-type="${other}"]`).waitFor({ state: 'hidden' });
          if (word === 'face') await editor.screenshot(`${version} palette face`);
        }
        assert.deepEqual(editor.complaints, []);
      });
    }

    it('gives an infer node that works as it is', async () => {
      editor = await Editor.open(nodeRed.url);
      const { page } = editor;
      await page.locator('#red-ui-palette-search input').pressSequentially('human');
      await page.locator('[data-palette-type="inject"]').waitFor({ state: 'hidden' });
      await page
        .locator('[data-palette-type="m2fp-infer"]')
        .dragTo(page.locator('#red-ui-workspace-chart'), { targetPosition: { x: 420, y: 100 } });
      const id = await editor.nodeOn(TAB, 'm2fp-infer');
      assert.equal(await page.evaluate((node) => RED.nodes.node(node)?.valid, id), true);
      assert.equal(await editor.drawing(id).locator('.red-ui-flow-node-error').isVisible(), false);
      // Node-RED's own way to wire: from the port of one to the port of the other.
      await editor
        .drawing('inject')
        .locator('.red-ui-flow-port-output .red-ui-flow-port')
        .dragTo(editor.drawing(id).locator('.red-ui-flow-port-input .red-ui-flow-port'));
      await editor.screenshot(`${version} first infer`);
      await editor.deploy();
      await nodeRed.inject('inject');
      await editor.statusOf(id, 'green');
      // The server speaks English.
      const chinese = await Editor.open(nodeRed.url, 'zh-CN');
      try {
        await chinese.statusOf(id, 'green');
        const shown = chinese.drawing(id).locator('.red-ui-flow-node-status-label');
        assert.match(await shown.innerHTML(), /^\d+ 人 · [\d.]+ 秒$/);
        assert.deepEqual(chinese.complaints, []);
      } finally {
        await chinese.close();
      }
      await editor.editNode(id, async () => {
        await editor.form.getByText('Without a model, the bundled demonstration model is used.').waitFor();
        assert.equal(await editor.form.locator('.input-error').count(), 0);
        await editor.screenshot(`${version} infer form`);
      });
      assert.deepEqual(editor.complaints, []);
    });
  });
}
