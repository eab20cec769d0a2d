import assert from 'node:assert/strict';
import { durationText } from '../../../nodes/form/amounts.ts';
import { problemText, progressText } from '../../../nodes/form/download-text.ts';
import { sharedText } from '../../../nodes/form/texts.ts';
import { editorIn } from '../support/editor-files.ts';
import type { PullProgress } from '../../../src/store/progress.ts';

const text = (key: string, values?: object): string =>
  [key.replace('download.', ''), ...Object.values(values ?? {})].join(' ');
const DOWNLOAD: PullProgress = {
  phase: 'download',
  file: 'pytorch_model.pt',
  received: 312e6,
  total: 760e6,
  share: 312 / 760,
  bytesPerSecond: 4.2e6,
};

const says = (message: string): string => `said: ${message}`;
const words = (key: string, values: Record<string, number>): string =>
  sharedText(editorIn('en-US'), `about.${key}`, values);

describe('the progress of a download, in words', () => {
  for (const [what, progress, shown] of [
    ['before it begins', null, 'begins'],
    [
      'bytes, speed and time left',
      DOWNLOAD,
      'receivedOf 312 MB 760 MB · speed 4.2 · left duration.minutes 2',
    ],
    ['before the speed is known', { ...DOWNLOAD, bytesPerSecond: null }, 'receivedOf 312 MB 760 MB'],
    ['standing still', { ...DOWNLOAD, bytesPerSecond: 0 }, 'receivedOf 312 MB 760 MB'],
    ['of unknown size', { ...DOWNLOAD, total: null, share: null }, 'received 312 MB · speed 4.2'],
    ['complete', { ...DOWNLOAD, received: 760e6 }, 'receivedOf 760 MB 760 MB · speed 4.2'],
    ['converting', { ...DOWNLOAD, phase: 'convert', share: 0.507 }, 'convertShare 50'],
    ['converting, unmeasured', { ...DOWNLOAD, phase: 'convert', share: null }, 'convert'],
    ['checking', { ...DOWNLOAD, phase: 'verify', share: 0.25 }, 'verifyShare 25'],
    ['asking', { ...DOWNLOAD, phase: 'list', share: null }, 'list'],
    [
      'waiting to ask again',
      { ...DOWNLOAD, retry: { status: 503, reason: 'no answer', seconds: 4, attempt: 2, attempts: 5 } },
      'receivedOf 312 MB 760 MB · answered 503 · retry duration.seconds 4 2 5',
    ],
    [
      'waiting to ask for the list again',
      {
        ...DOWNLOAD,
        phase: 'list',
        share: null,
        retry: { status: null, reason: 'no answer', seconds: 90, attempt: 1, attempts: 5 },
      },
      'broken · retry duration.minutes 2 1 5',
    ],
    ['behind another process', { ...DOWNLOAD, phase: 'wait', share: null }, 'wait'],
  ] as [string, PullProgress | null, string][]) {
    it(what, () => assert.equal(progressText(progress, text), shown));
  }

  it('a failure says why, and that nothing was lost', () => {
    const failed = { code: 'M2FP_DOWNLOAD_FAILED', message: 'no network: check the cable' };
    assert.equal(problemText(failed, text, says), 'sentence said: no network: check the cable failedKept');
    const ended = { ...failed, message: 'It is kept.' };
    assert.equal(problemText(ended, text, says), 'said: It is kept. failedKept');
    for (const [language, stop] of [
      ['en-US', '.'],
      ['zh-CN', '。'],
    ] as const)
      assert.equal(sharedText(editorIn(language), 'about.sentence', { said: 'a' }), `a${stop}`);
    assert.equal(problemText({ code: 'M2FP_BAD_OPTION', message: 'No id.' }, text, says), 'said: No id.');
  });

  it('times are short', () => {
    assert.deepEqual(
      [0.2, 45, 59.6, 61, 3599, 4800].map((seconds) => durationText(seconds, words)),
      ['1 s', '45 s', '1 min', '2 min', '1 h 0 min', '1 h 20 min'],
    );
  });
});
