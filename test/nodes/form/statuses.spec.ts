import assert from 'node:assert/strict';
import { translateStatus, translateStatuses } from '../../../nodes/form/statuses.ts';
import { catalogue, editorIn, LANGUAGES } from '../support/editor-files.ts';

const FILLED: Record<string, string> = { time: '1.2', dropped: '1.2k', speed: '4.2' };
const fill = (text: string) => text.replace(/__(\w+?)__/g, (_match, name: string) => FILLED[name] ?? '12');
const isStatus = (key: string) => /^m2fp-model\.(status|pull|result|error)\./.test(key);

describe('a status with numbers', () => {
  for (const from of LANGUAGES) {
    for (const to of LANGUAGES) {
      it(`of a server in ${from} is shown in ${to}`, () => {
        const [theirs, ours] = [catalogue('m2fp-model', from), catalogue('m2fp-model', to)];
        const withValues = Object.keys(theirs).filter((key) => isStatus(key) && theirs[key]!.includes('__'));
        assert.ok(withValues.length >= 14);
        for (const key of withValues) {
          const shown = translateStatus(editorIn(to), fill(theirs[key]!));
          // One person and more are the same words in Chinese: either text is right then.
          const singular = key.replace(/s$/, '');
          const right = [key, singular].flatMap((one) => (one in ours ? [fill(ours[one]!)] : []));
          assert.ok(right.includes(shown ?? ''), `${key}: ${shown}`);
        }
      });
    }
  }

  it('is in no English in Chinese', () => {
    for (const [key, text] of Object.entries(catalogue('m2fp-model', 'zh-CN'))) {
      if (!isStatus(key)) continue;
      const words = text.replace(/__\w+?__/g, '').match(/[A-Za-z]{2,}/g) ?? [];
      assert.deepEqual(
        words.filter((word) => !['API', 'kB', 'MB', 'wasm'].includes(word)),
        [],
        `${key}: ${text}`,
      );
    }
  });

  it('is translated for our nodes only, whoever listens first', () => {
    let hear = (_topic: string, _status: { text?: string }): void => {};
    const nodes: Record<string, { type: string; status?: object }> = {
      ours: { type: 'm2fp-infer' },
      other: { type: 'function' },
    };
    const redrawn: object[] = [];
    translateStatuses({
      ...editorIn('zh-CN'),
      comms: { subscribe: (_topic, listener) => void (hear = listener) },
      nodes: { node: (id) => nodes[id] ?? null },
      view: { redrawStatus: (node) => redrawn.push(node) },
    });
    const told = (id: string, text?: string) => {
      const status = text === undefined ? {} : { text };
      hear(`status/${id}`, status);
      return status.text;
    };
    assert.equal(told('ours', '2 people · 1.2 s'), '2 人 · 1.2 秒');
    assert.equal(told('ours', '448 × 448'), '448 × 448');
    assert.equal(told('ours'), undefined);
    assert.equal(told('other', '2 people · 1.2 s'), '2 people · 1.2 s');
    assert.equal(told('gone', '2 people · 1.2 s'), '2 people · 1.2 s');
    assert.deepEqual(redrawn, []);
    const status = { text: '3 crops' };
    nodes['ours']!.status = status;
    hear('status/ours', status);
    assert.equal(status.text, '3 张裁剪图');
    assert.equal(redrawn.length, 1);
  });
});
