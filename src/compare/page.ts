/** A comparison as a page: one file, without scripts, that loads nothing. */
import { hexOf, resolvePalette } from '../parsing/options/palette.ts';
import { BACKGROUND_INDEX } from '../parsing/options/options.ts';
import type { Comparison, Difference } from './compare.ts';
import { agreementRows, costRows, differenceInWords, nameOf, type Row } from './words.ts';

const STYLE = `
:root { color-scheme: light dark; font: 15px/1.5 system-ui, sans-serif; }
body { margin: 2rem auto; padding: 0 1rem; max-width: 120rem; }
h1 { font-size: 1.5rem; } h2 { font-size: 1.15rem; margin-top: 2rem; }
table { border-collapse: collapse; } th, td { padding: .2rem 1rem .2rem 0; text-align: left; vertical-align: top; }
th { font-weight: 600; white-space: nowrap; }
section { border-top: 1px solid #8886; margin-top: 1.5rem; }
h3 { font-size: 1rem; overflow-wrap: anywhere; margin-bottom: .2rem; } p { margin: .2rem 0 .6rem; }
.views { display: grid; grid-template-columns: repeat(auto-fit, minmax(14rem, 1fr)); gap: .8rem; }
figure { margin: 0; } img { width: 100%; height: auto; display: block; } figcaption { font-size: .9rem; }
ul { list-style: none; padding: 0; display: flex; flex-wrap: wrap; gap: .2rem 1rem; }
i { display: inline-block; width: .8em; height: .8em; margin-right: .35em; border: 1px solid #8888; }
`;

const ESCAPES: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' };
const escaped = (text: string) => text.replaceAll(/[&<>"]/g, (character) => ESCAPES[character]!);

const table = (rows: readonly Row[]) =>
  `<table>${rows.map(([name, value]) => `<tr><th>${escaped(name)}</th><td>${escaped(value)}</td></tr>`).join('')}</table>`;

const TITLE = '<title>m2fp compare</title>';

/** Whether a page that begins with `head` is one of {@link comparisonPage}. */
export function isComparisonPage(head: string): boolean {
  return head.includes(TITLE);
}

/** The page of a comparison whose differences were drawn. */
export function comparisonPage(comparison: Comparison): string {
  const { a, b, labels, agreement, differences, leftOut } = comparison;
  const pictures = agreement.pictures === 1 ? 'one picture' : `${agreement.pictures} pictures`;
  return `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
${TITLE}
<style>${STYLE}</style>
<h1>Two models on ${pictures}</h1>
${table([
  ['A', nameOf(a)],
  ['B', nameOf(b)],
])}
<h2>How far they agree</h2>
${table(agreementRows(comparison))}
<h2>What they cost</h2>
${table(costRows(comparison))}
${differences.length === 0 ? '<p>No pixel differs.</p>' : `<h2>Where they differ most</h2>${legend(labels)}`}
${differences.map(section).join('\n')}
${leftOut.length === 0 ? '' : `<h2>Left out</h2>${table(leftOut.map(({ file, code, message }): Row => [file, `${code}: ${message}`]))}`}
</html>
`;
}

function section({ file, agreement, views }: Difference): string {
  if (views === undefined) return '';
  const { width, height } = views;
  const figures = (['photo', 'a', 'b', 'difference'] as const).map((view) => {
    const caption = { photo: 'picture', a: 'A', b: 'B', difference: 'where the labels differ' }[view];
    return (
      `<figure><img src="data:image/jpeg;base64,${views[view].toString('base64')}" width="${width}" height="${height}" ` +
      `alt="${escaped(`${file}: ${caption}`)}"><figcaption>${caption}</figcaption></figure>`
    );
  });
  return `<section><h3>${escaped(file)}</h3><p>Same: ${escaped(differenceInWords(agreement))}</p><div class="views">${figures.join('')}</div></section>`;
}

/** What the colours stand for. */
function legend(labels: readonly string[]): string {
  const palette = resolvePalette(labels);
  const entries = labels
    .map((label, index) => ({ label, index }))
    .filter(({ index }) => index !== BACKGROUND_INDEX)
    .map(
      ({ label, index }) => `<li><i style="background:${hexOf(palette[index]!)}"></i>${escaped(label)}</li>`,
    );
  return `<ul>${entries.join('')}</ul>`;
}
