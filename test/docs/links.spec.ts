/** Every link of the pages leads somewhere, and every page exists in both languages. */
import assert from 'node:assert/strict';
import { existsSync, globSync, statSync } from 'node:fs';
import { basename, dirname, join, posix } from 'node:path';
import packageJson from '../../package.json' with { type: 'json' };
import { pages, prose, read, root } from './pages.ts';

/** Addresses under which GitHub shows the files of the branch main. */
const OURS =
  /^https:\/\/(?:github\.com\/([^/]+\/[^/]+)\/blob|raw\.githubusercontent\.com\/([^/]+\/[^/]+))\/main\//;
const REPOSITORY = /github\.com\/(.+)\.git$/.exec(packageJson.repository.url)![1]!;

/** What npm puts into the package: links from there must not lead out of it, unless they are whole addresses. */
const SHIPPED = [...packageJson.files, 'README.md', 'LICENSE', 'package.json'];
const isShipped = (path: string): boolean =>
  SHIPPED.some((entry) => path === entry || path.startsWith(`${entry}/`));

interface Link {
  page: string;
  target: string;
}

const links: Link[] = pages.flatMap((page) => {
  const text = prose(read(page));
  const inline = [...text.matchAll(/\]\(\s*<?([^\s)>]+)>?(?:\s+"[^"]*")?\s*\)/g)];
  const references = [...text.matchAll(/^\[[^\]]+\]:\s*(\S+)/gm)];
  const html = [...text.matchAll(/<(?:img|a)\b[^>]*\b(?:src|href)="([^"]+)"/g)];
  return [...inline, ...references, ...html].map(([, target]) => ({ page, target: target! }));
});

/** The anchors that GitHub makes of a page's headings. */
function anchors(page: string): Set<string> {
  const seen = new Map<string, number>();
  const headings = read(page)
    .replaceAll(/^( *)```[^]*?^\1```$/gm, '')
    .matchAll(/^#{1,6}\s+(.+?)\s*#*$/gm);
  return new Set(
    [...headings].map(([, heading]) => {
      const plain = heading!.replaceAll(/\[([^\]]*)\]\([^)]*\)/g, '$1').toLowerCase();
      const slug = plain.replaceAll(/[^\p{L}\p{M}\p{N}\p{Pc}\- ]/gu, '').replaceAll(' ', '-');
      const count = seen.get(slug) ?? 0;
      seen.set(slug, count + 1);
      return count === 0 ? slug : `${slug}-${count}`;
    }),
  );
}

/** The file of this project that a link leads to, with its anchor; null where it leads elsewhere. */
function placeOf({ page, target }: Link): { path: string; anchor: string; whole: boolean } | null {
  const ours = OURS.exec(target);
  if (/^[a-z]+:/i.test(target) && !ours) return null;
  const [path = '', anchor = ''] = decodeURIComponent(ours ? target.slice(ours[0].length) : target).split(
    '#',
  );
  if (ours) return { path, anchor, whole: true };
  return { path: path === '' ? page : posix.join(dirname(page), path), anchor, whole: false };
}

/** What is wrong with a link; undefined where it is right. */
function fault(link: Link): string | undefined {
  const place = placeOf(link);
  if (place === null) return undefined;
  const { path, anchor, whole } = place;
  const [, blob, raw] = OURS.exec(link.target) ?? [];
  if (whole && (blob ?? raw) !== REPOSITORY) return 'leads to another repository';
  if (path.startsWith('..') || !existsSync(join(root, path))) return 'leads nowhere';
  if (anchor !== '' && !(path.endsWith('.md') && anchors(path).has(anchor))) return 'has no such heading';
  if (!whole && isShipped(link.page) && !isShipped(path)) return 'leads out of the package';
  return undefined;
}

describe('links of the pages', () => {
  it('are found', () => {
    assert.ok(pages.includes('README.md') && pages.includes('docs/guide.md'));
    assert.ok(links.length > 60, `${links.length}`);
    assert.ok(links.some(({ target }) => target.includes('#')));
  });

  it('lead to a file, and to a heading in it', () => {
    const faults = links.flatMap((link) => {
      const what = fault(link);
      return what === undefined ? [] : [`${link.page}: ${link.target} ${what}`];
    });
    assert.deepEqual(faults, []);
  });

  it('would be found wrong', () => {
    const faultOf = (page: string, target: string): string | undefined => fault({ page, target });
    assert.equal(faultOf('docs/guide.md', 'models.md#precision'), undefined);
    assert.equal(faultOf('docs/guide.md', 'model.md'), 'leads nowhere');
    assert.equal(faultOf('docs/guide.md', 'models.md#speed'), 'has no such heading');
    assert.equal(faultOf('README.md', 'docs/guide.md'), 'leads out of the package');
    assert.equal(
      faultOf('README.md', `https://github.com/${REPOSITORY}/blob/main/docs/guides.md`),
      'leads nowhere',
    );
    assert.equal(
      faultOf('README.md', 'https://github.com/someone/else/blob/main/README.md'),
      'leads to another repository',
    );
  });
});

describe('the pages', () => {
  const english = pages.filter((page) => /^docs\/[^/]+\.md$/.test(page) || page === 'README.md');
  const chineseOf = (page: string): string =>
    page === 'README.md' ? 'README.zh-CN.md' : `docs/zh-CN/${basename(page)}`;

  it('exist in English and in Chinese, and name each other', () => {
    const chinese = pages.filter((page) => page.includes('zh-CN'));
    assert.deepEqual(english.map(chineseOf).toSorted(), chinese);
    const leadTo = (from: string, to: string): boolean =>
      links.some((link) => link.page === from && placeOf(link)?.path === to);
    const lonely = english.filter((page) => !leadTo(page, chineseOf(page)) || !leadTo(chineseOf(page), page));
    assert.deepEqual(lonely, []);
  });

  it('have the same sections, code and rows of tables in both', () => {
    const form = (page: string) => {
      const text = read(page);
      const withoutCode = text.replaceAll(/^( *)```[^]*?^\1```$/gm, '');
      return {
        headings: [...withoutCode.matchAll(/^(#+) /gm)].map(([, level]) => level!.length),
        blocks: [...text.matchAll(/^ *```(\w*)\n/gm)].map(([, language]) => language),
        rows: [...withoutCode.matchAll(/^\|/gm)].length,
      };
    };
    for (const page of english) assert.deepEqual(form(chineseOf(page)), form(page), page);
  });

  for (const page of ['README.md', 'README.zh-CN.md']) {
    it(`keep the README short: ${page}`, () => {
      const lines = read(page).split('\n').length;
      assert.ok(lines <= 100, `${page}: ${lines} lines`);
    });
  }

  it('name files that exist where they tell how the project is built', () => {
    const missing = ['docs/architecture.md', 'docs/zh-CN/architecture.md', 'CONTRIBUTING.md'].flatMap(
      (page) =>
        [...read(page).matchAll(/`([\w./-]+\/[\w.-]*|[\w-]+\.(?:ts|html))`/g)]
          .map(([, path]) => path!)
          .filter((path) => /^(src|nodes|test|tools|bench|models|docs|\.ci)\/|\.(ts|html)$|\/$/.test(path))
          .filter((path) => !isInTree(path))
          .map((path) => `${page}: ${path}`),
    );
    assert.deepEqual(missing, []);
  });
});

describe('comments and pages', () => {
  const texts = globSync(
    '{.github,src,nodes,bench,tools,test,models,docs,schemas}/**/*.{ts,md,py,sh,html,yml}',
    { cwd: root },
  )
    .map((path) => path.replaceAll('\\', '/'))
    .filter((path) => !path.startsWith('test/docs/'))
    .concat('README.md', 'README.zh-CN.md', 'CONTRIBUTING.md', 'CHANGELOG.md')
    .map((path) => ({ path, text: read(path) }));

  it('name files that exist', () => {
    const named =
      /(?<![\w./@-])((?:src|nodes|test|tools|bench|docs|models|schemas)\/[\w./-]*\.(?:ts|md|json|py|html|png))\b/g;
    const missing = texts.flatMap(({ path, text }) =>
      [...text.matchAll(named)]
        .filter(([file]) => !existsSync(join(root, file)))
        .map(([file]) => `${path}: ${file}`),
    );
    assert.deepEqual(missing, []);
  });

  it('cite sections that exist', () => {
    const cited = texts.flatMap(({ path, text }) =>
      [...text.matchAll(/(docs\/[\w-]+\.md)[\s*]+section (\d+)(?:\.(\d+))?/g)].map(
        ([, page, section, item]) => ({ path, page: page!, section: section!, item }),
      ),
    );
    assert.ok(cited.length > 8, `${cited.length}`);
    const missing = cited.filter(({ page, section, item }) => {
      const text = new RegExp(`^## ${section}\\. [^]*?(?=^## |$(?![^]))`, 'm').exec(read(page))?.[0];
      return text === undefined || (item !== undefined && !new RegExp(`^${item}\\. `, 'm').test(text));
    });
    assert.deepEqual(missing, []);
  });
});

/** Whether the path is one from the root, or from one of the rooms that the pages are about. */
function isInTree(path: string): boolean {
  const rooms = [
    '',
    'src',
    'src/engine',
    'src/engine/queue',
    'src/engine/remote',
    'src/onnx',
    'src/parsing',
    'src/quantize',
    'nodes/common',
  ];
  return rooms.some((room) => {
    const file = join(root, room, path);
    return existsSync(file) && (!path.endsWith('/') || statSync(file).isDirectory());
  });
}
