import assert from 'node:assert/strict';
import { ProgressBar } from '../../src/cli/progress.ts';

/** What a bar writes to a terminal or a log. */
function written(isTTY: boolean, show: (bar: ProgressBar) => void, columns?: number): string[] {
  const texts: string[] = [];
  const stream = {
    isTTY,
    columns,
    write: (text: string) => texts.push(text),
  } as unknown as NodeJS.WriteStream;
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

  it('fits into narrow terminals, too', () => {
    const [text = ''] = written(
      true,
      (bar) => bar.show('Downloading', 0.5, 'of 759.7 MB, 4.2 MB/s, 120 s left'),
      60,
    );
    assert.equal(text, `\rDownloading 50 % of 759.7 MB, 4.2 MB/s, 120 s left\u001B[K`);
    const [cut = ''] = written(true, (bar) => bar.show('Downloading', 0.5, 'of 759.7 MB'), 20);
    assert.equal(cut, '\rDownloading 50 % of\u001B[K');
  });

  it('shows a pause in its place on a terminal, until the work goes on', () => {
    const texts = written(true, (bar) => {
      bar.show('Downloading', 0.5, '12.0 MB/s');
      bar.pause('Downloading', 0.5, 'the server answered 503; trying again in 4 s (2 of 5)');
      bar.pause('Downloading', 0.5, 'the server answered 503; trying again in 4 s (2 of 5)');
      bar.show('Downloading', 0.5);
      bar.close();
    });
    assert.deepEqual(texts, [
      `\rDownloading ${'█'.repeat(15)}${'░'.repeat(15)} 50 % 12.0 MB/s\u001B[K`,
      '\rDownloading 50 %: the server answered 503; trying again in 4 s (2 of 5)\u001B[K',
      `\rDownloading ${'█'.repeat(15)}${'░'.repeat(15)} 50 %\u001B[K`,
      '\n',
    ]);
  });

  it('writes a line for each pause to a log', () => {
    const texts = written(false, (bar) => {
      bar.show('Downloading', 0.5);
      for (const attempt of [1, 1, 2]) bar.pause('Downloading', 0.5, `again (${attempt} of 5)`);
      bar.show('Downloading', 0.5);
      bar.pause('Downloading', 0.5, `again (2 of 5)`);
      bar.pause('Listing', null, 'again');
    });
    assert.deepEqual(texts, [
      'Downloading: 50 %\n',
      'Downloading 50 %: again (1 of 5)\n',
      'Downloading 50 %: again (2 of 5)\n',
      'Downloading 50 %: again (2 of 5)\n',
      'Listing: again\n',
    ]);
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
