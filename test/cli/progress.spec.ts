import assert from 'node:assert/strict';
import { ProgressBar } from '../../src/cli/progress.ts';

/** What a bar writes to a terminal or a log. */
function written(isTTY: boolean, show: (bar: ProgressBar) => void): string[] {
  const texts: string[] = [];
  const stream = { isTTY, write: (text: string) => texts.push(text) } as unknown as NodeJS.WriteStream;
  show(new ProgressBar(stream));
  return texts;
}

describe('the progress bar', () => {
  it('grows in place on a terminal, and leaves its line when it is closed', () => {
    const texts = written(true, (bar) => {
      bar.show('Downloading', 0.5, '12.0 MB/s');
      bar.show('Downloading', 0.5, '12.0 MB/s');
      bar.show('Downloading', 1);
      bar.show('Converting', 0.1);
      bar.close();
      bar.close();
    });
    assert.deepEqual(texts, [
      `\rDownloading ${'█'.repeat(15)}${'░'.repeat(15)} 50 % 12.0 MB/s\u001B[K`,
      `\rDownloading ${'█'.repeat(30)} 100 %\u001B[K`,
      '\n',
      `\rConverting ${'█'.repeat(3)}${'░'.repeat(27)} 10 %\u001B[K`,
      '\n',
    ]);
  });

  it('fits into 80 columns', () => {
    const [text = ''] = written(true, (bar) => bar.show('Downloading', 0.999, '1234.5 MB, 1234.5 MB/s'));
    assert.ok(text.length - 4 < 80, `${text.length - 4} columns`);
  });

  it('has no bar for what nobody can measure', () => {
    assert.deepEqual(
      written(true, (bar) => {
        bar.show('Downloading', null, '3.5 MB');
        bar.close();
      }),
      ['\rDownloading 3.5 MB\u001B[K', '\n'],
    );
  });

  it('writes a line every ten percent to a log, and begins anew where the work does', () => {
    const texts = written(false, (bar) => {
      bar.show('Listing', null);
      bar.show('Listing', null);
      for (const percent of [0, 5, 13, 19, 20]) bar.show('Downloading', percent / 100, '2.0 MB/s');
      bar.show('Checking', 1);
      bar.show('Downloading', 0.29);
      bar.show('Downloading', 0);
      bar.show('Downloading', 1);
      bar.close();
    });
    assert.deepEqual(texts, [
      'Listing\n',
      'Downloading: 0 % (2.0 MB/s)\n',
      'Downloading: 10 % (2.0 MB/s)\n',
      'Downloading: 20 % (2.0 MB/s)\n',
      'Checking: 100 %\n',
      'Downloading: 0 %\n',
      'Downloading: 100 %\n',
    ]);
  });
});
