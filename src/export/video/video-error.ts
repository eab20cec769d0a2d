/** What is told where ffmpeg does not do what it was asked for. */
import type { End } from '../../child-process.ts';
import { M2fpError, type M2fpErrorCode } from '../../errors.ts';

const MEANINGS: readonly [words: RegExp, code: M2fpErrorCode, meaning: string][] = [
  [
    /No space left|Disk quota|File too large/i,
    'M2FP_NOT_KEPT',
    'the disk is full: free some, or write elsewhere',
  ],
  [
    /Permission denied|Read-only file system|No such file/i,
    'M2FP_NOT_KEPT',
    'the file cannot be written: check the folder and who may write there',
  ],
  [
    /moov atom not found|Invalid data found|End of file/i,
    'M2FP_UNSUPPORTED_FORMAT',
    'it is no video that ffmpeg can read, or damaged',
  ],
  [
    /Decoder \S+ not found|no decoder found|Decoder .*not found/i,
    'M2FP_UNSUPPORTED_FORMAT',
    'this ffmpeg cannot decode it: install one with all decoders',
  ],
  [/Cannot allocate memory|Out of memory/i, 'M2FP_NOT_KEPT', 'there is not enough memory'],
];

/**
 * @param what was being done, and with which file: `a.mp4 cannot be read`
 * @param words what ffmpeg said
 * @param fallback the code where they do not tell
 */
export function videoError(what: string, words: string, fallback: M2fpErrorCode): M2fpError {
  const plain = plainWords(words);
  const [, code, meaning] = MEANINGS.find(([pattern]) => pattern.test(plain)) ?? [undefined, fallback, ''];
  const said = plain === '' ? '' : ` (ffmpeg: ${plain})`;
  return new M2fpError(code, `${what}${meaning === '' ? '' : `: ${meaning}`}${said}`);
}

/** What ffmpeg said at its end, and what it could not say: that somebody ended it. */
export function lastWords({ words, signal }: Pick<End, 'words' | 'signal'>): string {
  if (signal === null) return words;
  return `${words}\nended by ${signal}, as the system does where memory runs out`;
}

/** The last lines of what ffmpeg said, in one, without addresses in memory. */
export function plainWords(words: string): string {
  const lines = words
    .replace(/^\[[^\]]*\] /gm, '')
    .split('\n')
    .map((line) => line.trim());
  return [...new Set(lines.filter(Boolean))].slice(-3).join('; ').slice(-400);
}
