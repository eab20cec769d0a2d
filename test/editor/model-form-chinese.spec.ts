/** The form of the config node in Chinese: whatever it says is Chinese, or plainly data. */
import assert from 'node:assert/strict';
import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { quantizeModel } from '../../src/quantize/quantize.ts';
import { convertCheckpoint } from '../../src/store/convert.ts';
import { drawPicture } from '../quantize/support/pictures.ts';
import { goldenFolder } from '../support/golden.ts';
import { type FlowNode, NodeRed } from '../support/node-red.ts';
import type { Editor } from './editor.ts';
import { blemishes } from './inspect.ts';
import { withEditor } from './with-editor.ts';

const FLOW: FlowNode[] = [
  { id: 'tab', type: 'tab', label: 'Flow 1' },
  { id: 'model', type: 'm2fp-model', name: '', source: 'bundled', configVersion: 2 },
  { id: 'infer', type: 'm2fp-infer', z: 'tab', x: 200, y: 100, wires: [[], []], model: 'model' },
];

/** Three words in a row are a sentence, or a part of one; commands are data. */
const ENGLISH = /(?<!m2fp )\b[A-Za-z]+ [a-z]+ [a-z]+\b/;

describe('the form of the model in Chinese', function () {
  this.timeout(240_000);
  let folder = '';
  let editor: Editor;

  before(async () => {
    folder = mkdtempSync(join(tmpdir(), 'm2fp-chinese-'));
    const source = goldenFolder('multi');
    const size = { shortSide: 64, longSide: 128 };
    await convertCheckpoint({ source, out: join(folder, '模型一'), ...size });
    await convertCheckpoint({ source, out: join(folder, '其他引擎'), operators: 'grid-sample', ...size });
    cpSync(source, join(folder, '检查点'), { recursive: true });
    for (const name of ['图片', '空', '坏']) mkdirSync(join(folder, name));
    for (let i = 0; i < 6; i++) await drawPicture(join(folder, '图片', `${i}.png`), i);
    for (const name of ['a.png', '图片/坏1.png', '图片/坏2.png', '坏/a.png'])
      writeFileSync(join(folder, name), 'no picture');
    mkdirSync(join(folder, 'broken'));
    writeFileSync(join(folder, 'broken', 'm2fp.json'), '{"format":7}');
    await quantizeModel({
      model: join(folder, '模型一'),
      pictures: join(folder, '图片'),
      out: join(folder, '模型 int8'),
      parts: ['res5'],
    });
  });
  withEditor(
    'Chinese model',
    () => NodeRed.start('node-red', FLOW),
    (open) => ({ editor } = open),
    'zh-CN',
  );
  // The whole form, for the screenshots.
  before(() => editor.page.setViewportSize({ width: 1500, height: 1500 }));
  after(() => rmSync(folder, { recursive: true }));

  const field = (name: string) => editor.page.locator(`#node-config-input-${name}`);
  const about = () => editor.page.getByRole('group', { name: '关于此模型' });
  const button = (name: string) => about().getByRole('button', { name, exact: true });
  const alert = (text: RegExp) => about().getByRole('alert').filter({ hasText: text }).waitFor();
  const row = (title: string, text: RegExp) =>
    about()
      .locator('dt', { hasText: new RegExp(`^${title}$`) })
      .locator('+ dd', { hasText: text })
      .waitFor({ timeout: 90_000 });
  /** The whole dialog, with what is in the fields left out. */
  const isChinese = async (shot: string): Promise<void> => {
    const text = await editor.page
      .locator('#node-config-dialog-edit-form, .red-ui-tray-body')
      .last()
      .innerText();
    for (const line of text.split('\n')) assert.doesNotMatch(line, ENGLISH, shot);
    assert.match(text, /关于此模型|内置演示模型|本机上的模型/);
    assert.deepEqual(await blemishes(about()), []);
    await editor.screenshot(`Chinese ${shot}`);
  };
  const choose = async (name: string, precision: string, pictures?: string): Promise<void> => {
    await field('source').selectOption('folder');
    await field('folder').fill(name === '' ? '' : join(folder, name));
    await field('precision').selectOption(precision);
    if (pictures !== undefined) await field('pictures').fill(join(folder, pictures));
  };

  it('tells of a model, and tries it', async () => {
    await editor.editConfig('model', async () => {
      await row('模型', /^m2fp-demo$/);
      await button('检查').click();
      await row('检查', /示例图片用时/);
      await isChinese('checked');
      await field('source').selectOption('modelscope');
      await row('磁盘占用', /^尚未下载$/);
      await isChinese('published');
    });
  });

  it('says what is wrong with a folder', async () => {
    await editor.editConfig('model', async () => {
      await choose('', 'fp32');
      await alert(/^缺少模型的文件夹$/);
      for (const [name, problem] of [
        ['没有', /^没有模型文件夹 .*没有$/],
        ['空', /中没有已转换的模型/],
        ['a.png', /是文件，而不是模型的文件夹/],
        ['broken', /的格式为 7，此版本读取格式 1/],
      ] as const) {
        await choose(name, 'fp32');
        await alert(problem);
        await isChinese(`folder ${name}`);
      }
      await choose('${NO_SUCH_VARIABLE}', 'fp32');
      await alert(/环境变量 NO_SUCH_VARIABLE 不存在/);
      await isChinese('variable');
      await choose('检查点', 'fp32');
      await row('模型', /^local\/检查点$/);
      await row('磁盘占用', /^尚未转换$/);
      await isChinese('checkpoint');
    });
    editor.complaints.length = 0;
  });

  it('says why no int8 model is made, and makes one', async () => {
    await editor.editConfig('model', async () => {
      await choose('其他引擎', 'int8', '图片');
      await alert(/^无法由此模型生成 int8/);
      await isChinese('other engines');
      await choose('模型 int8', 'int8', '图片');
      await about()
        .getByText(/^此模型已经是 int8/)
        .waitFor();
      await isChinese('int8 already');
      for (const [pictures, problem] of [
        ['没有', /^无法读取图片文件夹：没有/],
        ['空', /中没有图片：请放入 32 张以上/],
        ['坏', /^所有图片都无法使用/],
      ] as const) {
        await choose('模型一', 'int8', pictures);
        await row('模型', /^local\/模型一$/);
        await button('立即生成 int8').click();
        await alert(problem);
        await isChinese(`pictures ${pictures}`);
      }
      await choose('模型一', 'int8', '图片');
      await button('立即生成 int8').click();
      await about()
        .getByRole('listitem')
        .filter({ hasText: /^已排除 坏2\.png：不支持的格式$/ })
        .waitFor({ timeout: 90_000 });
      await row('本机 int8', /实测/);
      await isChinese('int8 made');
    });
  });
});
