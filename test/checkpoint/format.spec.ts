import assert from 'node:assert/strict';
import { openCheckpoint } from '../../src/checkpoint/index.ts';
import { bytes } from '../support/pickle-writer.ts';
import { isInvalid, scratchFolder } from './support/files.ts';

describe('a file that is no checkpoint', () => {
  const scratch = scratchFolder();

  const strangers: [title: string, content: Uint8Array | string, message: RegExp][] = [
    ['empty', '', /is empty \(0 bytes\): the download or copy failed/],
    ['an HTML page', '<!DOCTYPE html>\n<html><body>404</body></html>', /is a web page.*error or login page/],
    ['an HTML page behind a byte order mark', '\ufeff  <HTML lang="zh">', /is a web page/],
    ['an XML error', '<?xml version="1.0"?><Error><Code>AccessDenied</Code></Error>', /is a web page/],
    [
      'a Git LFS pointer',
      'version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 253000000\n',
      /is a Git LFS pointer.*run "git lfs pull"/,
    ],
    ['text with a brace where safetensors has its header', 'function{return 1}', /is a text file/],
    ['JSON', '{"Code": 10010205001, "Message": "not found"}', /is a text file/],
    ['text whose 512th byte is half a letter', `${'a'.repeat(511)}ü and more`, /is a text file/],
    ['a binary', bytes(0x7f, 'ELF', 0, 0), /does not begin like a checkpoint/],
    ['a single zero', bytes(0), /does not begin like a checkpoint/],
    ['the first bytes of a zip archive', 'PK\x03\x04', /is no whole zip archive.*download or copy it again/],
    ['an empty zip archive', bytes('PK\x05\x06', Buffer.alloc(18)), /0 entries <name>\/data\.pkl/],
  ];
  for (const name of ['pytorch_model-00001-of-00002.bin', 'pytorch_model.bin.index.json']) {
    it(`is named where it was split: ${name}`, async () => {
      await assert.rejects(
        openCheckpoint(scratch.write('{}', name)),
        isInvalid(/split into several files.*unpack it first/),
      );
    });
  }

  for (const [title, content, message] of strangers) {
    it(`is named: ${title}`, async () => {
      await assert.rejects(
        openCheckpoint(scratch.write(content)),
        isInvalid(/^pytorch_model\.pt: /, message),
      );
    });
  }
});
