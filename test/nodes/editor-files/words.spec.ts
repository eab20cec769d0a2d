/** One word for one thing, wherever users read it. */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { root } from '../../support/installed-package.ts';
import { readNodeFile, TYPES } from '../support/flows.ts';
import { catalogue } from '../support/editor-files.ts';

const EXAMPLES = join(root, 'examples');

describe('words in Chinese', () => {
  const names = catalogue('m2fp-model', 'zh-CN');
  const texts: [string, string][] = [
    ...TYPES.flatMap((type): [string, string][] => [
      [`help of ${type}`, readNodeFile(type, `locales/zh-CN/${type}.html`)],
      [`texts of ${type}`, readNodeFile(type, `locales/zh-CN/${type}.json`)],
    ]),
    ...readdirSync(EXAMPLES)
      .filter((name) => name.endsWith('.json'))
      .map((name): [string, string] => [name, readFileSync(join(EXAMPLES, name), 'utf8')]),
  ];

  for (const [where, text] of texts) {
    it(`call sunglasses as the forms do: ${where}`, () => {
      assert.ok(!text.includes('太阳镜'), names['m2fp-model.parts.name.Sunglasses']);
    });
  }

  it('of labels are in the web page as in the forms', () => {
    const page = readFileSync(join(root, 'src/service/page/texts.js'), 'utf8');
    const table = /const LABELS_ZH = \{(.*?)\};/s.exec(page)![1]!;
    const labels = [...table.matchAll(/'?([\w-]+)'?: '([^']+)'/g)];
    assert.ok(labels.length > 15);
    for (const [, label, word] of labels) assert.equal(word, names[`m2fp-model.parts.name.${label}`], label);
  });
});
