import assert from 'node:assert/strict';
import catalogue from '../../../nodes/m2fp-model/locales/en-US/m2fp-model.json' with { type: 'json' };
import { pullText } from '../../../nodes/common/pull-text.ts';
import type { PullProgress } from '../../../src/store/progress.ts';

describe('pullText', () => {
  const progress: PullProgress = {
    phase: 'download',
    file: null,
    received: 0,
    total: null,
    share: null,
    bytesPerSecond: null,
  };
  const shown = (part: Partial<PullProgress>): string => {
    const { key, values } = pullText({ ...progress, ...part });
    const text = (catalogue['m2fp-model'].pull as Record<string, string>)[key.replace('pull.', '')]!;
    return text.replace(/__(\w+)__/g, (_match, name: string) => String(values[name]));
  };

  for (const [text, part] of [
    ['37 % · 4.2 MB/s', { share: 0.379, bytesPerSecond: 4_230_000 }],
    ['99 % · 0.0 MB/s', { share: 0.9999, bytesPerSecond: 0 }],
    ['100 % · 125 MB/s', { share: 1, bytesPerSecond: 125_400_000 }],
    ['0 %', { share: 0 }],
    ['12 MB', { received: 12_900_000 }],
    ['9999 MB · 99.9 MB/s', { received: 9_999_000_000, bytesPerSecond: 99_900_000 }],
    ['asking the server', { phase: 'list' }],
    ['other process pulls', { phase: 'wait' }],
    ['checking', { phase: 'verify', share: 0.5 }],
    ['converting', { phase: 'convert' }],
    [
      '503: retry in 4 s',
      { retry: { status: 503, reason: 'no answer', seconds: 4, attempt: 2, attempts: 5 } },
    ],
    [
      '503: retry in 600 s',
      { retry: { status: 503, reason: 'no answer', seconds: 600, attempt: 5, attempts: 5 } },
    ],
    [
      'retry in 30 s (5/5)',
      { retry: { status: null, reason: 'no answer', seconds: 30, attempt: 5, attempts: 5 } },
    ],
    ['converting 50 %', { phase: 'convert', share: 0.5 }],
  ] as [string, Partial<PullProgress>][]) {
    it(`says "${text}"`, () => {
      assert.equal(shown(part), text);
      assert.ok(text.length <= 20);
    });
  }
});
