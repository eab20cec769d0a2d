/**
 * The html of a node as the editor gets it. Two things stand in its source for what `FIELDS` of its config.ts says:
 *
 * - `// FIELDS` among the `defaults`, for the properties with what they begin with and how they are checked: literals,
 *   since the flow library reads them out of the text.
 * - `<form-row name="opacity" icon="adjust" hint="opacity" />`, for the row of one field, with the label and the input that
 *   the field needs.
 *
 * The texts are those of the node's catalogue: `label.<name>`, `<name>.<choice>`, `hint.<hint>`.
 */
import { readFileSync } from 'node:fs';
import type { Field } from '../nodes/common/form-fields.ts';
import type { FormFields } from '../src/parsing/options/option-table.ts';

/** What a row may say beside the name of its field. */
interface Row {
  name: string;
  /** Of Font Awesome, before the label. */
  icon?: string;
  /** While what holds the row shows, see `nodes/form/when.ts`. */
  when?: string;
  /** Key of the text behind the field, below it, or in it while it is blank. */
  hint?: string;
  below?: string;
  blank?: string;
  /** In it while it is blank, in any language. */
  placeholder?: string;
  /** How wide a text is: `m2fp-number` for a short one. */
  class?: string;
  /** For a list: the id of what the form's script fills, without the type in front. */
  container?: string;
}

const ATTRIBUTES = ['name', 'icon', 'when', 'hint', 'below', 'blank', 'placeholder', 'class', 'container'];

/** Choices that are called the same in every language. */
const NAMES: Readonly<Record<string, string>> = {
  png: 'PNG',
  jpeg: 'JPEG',
  webp: 'WebP',
  pascal: 'PASCAL VOC',
  cihp: 'CIHP',
  lip: 'LIP',
  'pascal-person-part': 'PASCAL-Person-Part',
  'mhp-v2': 'MHP v2',
};

/**
 * @param type the node's; its folder holds the html and config.ts
 * @throws {Error} for a row of what is no field, or with an attribute that rows do not have
 */
export async function nodeHtml(type: string): Promise<string> {
  const folder = new URL(`../nodes/${type}/`, import.meta.url);
  const { FIELDS } = (await import(new URL('config.ts', folder).href)) as { FIELDS: FormFields };
  return expandHtml(readFileSync(new URL(`${type}.html`, folder), 'utf8'), type, FIELDS);
}

export function expandHtml(html: string, type: string, fields: FormFields): string {
  const prefix = html.includes("category: 'config'") ? 'node-config-input-' : 'node-input-';
  return html
    .replace(/^( *)\/\/ FIELDS.*\n/m, (_match, indent: string) =>
      lines(indent, Object.entries(fields).map(definitionOf)),
    )
    .replace(/^( *)<form-row\b([^>]*)\/>\n/gm, (_match, indent: string, attributes: string) =>
      lines(indent, rowOf(type, prefix, fields, readAttributes(attributes))),
    );
}

function lines(indent: string, texts: readonly string[]): string {
  return texts.map((text) => `${indent}${text}\n`).join('');
}

function definitionOf([name, { form }]: [string, FormFields[string]]): string {
  const { value, input, choices = [], formerly = [], check, definition = {} } = form as Field['form'];
  const checked = check
    ? [`validate: check.${check[0]}(${[name, ...check.slice(1)].map(literal).join(', ')})`]
    : input === 'select'
      ? [`validate: check.choice(${[name, ...choices, ...formerly].map(literal).join(', ')})`]
      : [];
  const more = Object.entries(definition).map(([key, given]) => `${key}: ${literal(given)}`);
  return `${name}: { ${[`value: ${literal(value)}`, ...more, ...checked].join(', ')} },`;
}

function literal(value: unknown): string {
  return typeof value === 'string' ? `'${value.replace(/['\\]/g, '\\$&')}'` : String(value);
}

function readAttributes(text: string): Row {
  const found = [...text.matchAll(/([\w-]+)="([^"]*)"/g)].map(([, name, value]) => [name!, value!] as const);
  for (const [name] of found) {
    if (!ATTRIBUTES.includes(name))
      throw new Error(`A row has no attribute ${name}, only ${ATTRIBUTES.join(', ')}.`);
  }
  return Object.fromEntries(found) as unknown as Row;
}

function rowOf(type: string, prefix: string, fields: FormFields, row: Row): string[] {
  const { name, icon, when, hint, below } = row;
  const form = name === 'name' ? { value: '', input: 'text' } : fields[name]?.form;
  if (form === undefined) throw new Error(`${type} has a row for ${name}, but no such field in config.ts.`);
  const id = prefix + name;
  const key = (group: string, of: string): string => `${type}.${group}.${of}`;
  const text = (element: string, look: string, of: string): string =>
    `  <${element} class="${look}" data-i18n="${key('hint', of)}"></${element}>`;
  const label = name === 'name' ? 'node-red:common.label.name' : key('label', name);
  const shown = when === undefined ? '' : ` data-when="${when}"`;
  if (form.input === 'checkbox') {
    return [
      `<div class="form-row m2fp-check"${shown}>`,
      `  <input type="checkbox" id="${id}" />`,
      `  <label for="${id}" data-i18n="${label}"></label>`,
      ...(hint === undefined ? [] : [text('span', 'm2fp-quiet', hint)]),
      '</div>',
    ];
  }
  const labelled = form.input === 'list' ? '' : ` for="${id}"`;
  return [
    `<div class="form-row"${shown}>`,
    `  <label${labelled}><i class="fa fa-${icon}"></i> <span data-i18n="${label}"></span></label>`,
    ...inputOf(type, id, fields, row).map((line) => `  ${line}`),
    ...(hint === undefined ? [] : [text('span', 'm2fp-hint', hint)]),
    ...(below === undefined ? [] : [text('div', 'm2fp-below', below)]),
    '</div>',
  ];
}

function inputOf(type: string, id: string, fields: FormFields, row: Row): string[] {
  const { name, blank, placeholder, class: width = 'm2fp-select', container } = row;
  if (name === 'name')
    return [`<input type="text" id="${id}" data-i18n="[placeholder]node-red:common.label.name" />`];
  const { input, choices = [] } = fields[name]!.form;
  const inBlank =
    (blank === undefined ? '' : ` data-i18n="[placeholder]${type}.hint.${blank}"`) +
    (placeholder === undefined ? '' : ` placeholder="${placeholder}"`);
  const textInput = `<input type="text" id="${id}" class="${width}"${inBlank} />`;
  switch (input) {
    case 'number':
      return [`<input type="text" inputmode="decimal" id="${id}" class="m2fp-number"${inBlank} />`];
    case 'select':
      return [
        `<select id="${id}" class="m2fp-select">`,
        ...choices.map((choice) =>
          choice in NAMES
            ? `  <option value="${choice}">${NAMES[choice]}</option>`
            : `  <option value="${choice}" data-i18n="${type}.${name}.${choice}"></option>`,
        ),
        '</select>',
      ];
    case 'color':
      return [`<input type="color" id="${id}" style="width: 60px; padding: 0" />`];
    case 'list':
      return [`<input type="hidden" id="${id}" />`, `<div id="${type}-${container}"></div>`];
    case 'typed': {
      const hidden = `${name}Type` in fields ? [`<input type="hidden" id="${id}Type" />`] : [];
      return [
        `<input type="text" id="${id}" class="${width}" data-types="${choices.join(' ')}" />`,
        ...hidden,
      ];
    }
    case 'model':
      return [`<input type="text" id="${id}" />`];
    default:
      return [textInput];
  }
}
