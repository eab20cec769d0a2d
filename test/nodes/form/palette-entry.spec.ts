import assert from 'node:assert/strict';
import { shortLines } from '../../../nodes/form/palette-entry.ts';
import { catalogue, LANGUAGES } from '../support/editor-files.ts';
import { TYPES } from '../support/flows.ts';

describe("a palette entry's label", () => {
  it('is shown up to its colon, in lines that fit', () => {
    assert.deepEqual(shortLines('M2FP infer: human parsing, and more'), ['M2FP infer']);
    assert.deepEqual(shortLines('M2FP engine status'), ['M2FP engine', 'status']);
    assert.deepEqual(shortLines('M2FP 预处理：为人体解析准备图片'), ['M2FP 预处理']);
    assert.deepEqual(shortLines('M2FP 加载模型的工具'), ['M2FP', '加载模型的工具']);
  });

  for (const language of LANGUAGES) {
    for (const type of TYPES.slice(1)) {
      it(`says whose the node is, whatever is shown of it: ${type}, ${language}`, () => {
        const label = catalogue(type, language)[`${type}.paletteLabel`]!;
        assert.match(label, /^M2FP /, label);
        assert.ok(shortLines(label).length <= 2, label);
      });
    }
  }
});
