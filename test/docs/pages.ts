/** The pages that people read, for the tests that check them. */
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

export const root = join(import.meta.dirname, '../..');

/** All Markdown of the project, as paths from its root with "/". */
export const pages: readonly string[] = globSync(
  ['*.md', 'docs/**/*.md', 'bench/*.md', 'models/*/README.md', 'test/golden/*.md'],
  { cwd: root },
)
  .map((path) => path.replaceAll('\\', '/'))
  .toSorted();

export const read = (page: string): string => readFileSync(join(root, page), 'utf8');

/** The text without what is code: links in there are none. */
export const prose = (text: string): string =>
  text.replaceAll(/^( *)```[^]*?^\1```$/gm, '').replaceAll(/`[^`\n]+`/g, '');

/** The commands of a page: the lines of its shell blocks, joined where they go on, without remarks. */
export function commands(page: string): string[] {
  return [...read(page).matchAll(/^( *)```sh\n([^]*?)^\1```$/gm)].flatMap(([, , block]) =>
    block!
      .replaceAll(/\\\n\s*/g, '')
      .split('\n')
      .map((line) => line.replace(/(^|\s)#.*$/, '').trim())
      .filter((line) => line !== ''),
  );
}
