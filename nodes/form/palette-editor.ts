/** The colours of the labels as a list of swatches, with import and export as JSON. */
import { hexOf, PALETTES, parseColor, resolvePalette } from '../../src/parsing/options/palette.ts';
import { labelKey } from '../../src/parsing/options/options.ts';
import type { Dollar, EditorRed, Elements } from './editor.ts';
import type { Part } from './label-sets.ts';
import type { PartToggles } from './part-toggles.ts';
import { labelText, nodeText, type Values } from './texts.ts';

const STYLE = `
.m2fp-color { display: inline-flex; gap: 2px; align-items: center; }
.form-row .m2fp-color input[type='color'] { flex: none; width: 30px; height: 22px; padding: 0; margin: 0; }
.m2fp-color-reset { padding: 0 5px; border: 0; background: none; color: inherit; cursor: pointer; }
.m2fp-color-reset:focus-visible { outline: 2px solid var(--red-ui-form-input-focus-color); }
.m2fp-parts-bar input.m2fp-upload { display: none; }
`;

export interface PaletteEditorOptions {
  /** The property that holds the user's own colours, JSON of label names and colours. */
  field: string;
  /** The property that holds the palette's name, a select. */
  palette: string;
  /** Where the labels come from. */
  labels: PartToggles;
}

/** What is used of the editor besides. */
interface Editor extends EditorRed {
  notify(text: string, type: string): void;
  editor: {
    editJSON(options: { value: string; requireValid: boolean; complete(text: string): void }): void;
  };
}

interface FileInput {
  files: Iterable<{ text(): Promise<string> }>;
  value: string;
}

/** The colours in `text` by label, the labels written as in `names` where those have them; throws where it is no table. */
export function readColors(text: string, names: readonly string[]): Record<string, string> {
  const given: unknown = text.trim() === '' ? {} : JSON.parse(text);
  if (typeof given !== 'object' || given === null || Array.isArray(given)) throw new Error('no object');
  return Object.fromEntries(
    Object.entries(given).map(([label, color]) => [
      names.find((name) => labelKey(name) === labelKey(label)) ?? label,
      hexOf(parseColor(label, color)),
    ]),
  );
}

/** The swatches that are shown: the labels of a model with their colours, then own colours of other labels. */
export function swatchesOf(
  parts: readonly Pick<Part, 'name'>[],
  palette: string,
  own: Readonly<Record<string, string>>,
): { name: string; color: string; isOwn: boolean }[] {
  const names = parts.map(({ name }) => name);
  const base = resolvePalette(names.length === 0 ? ['Background'] : names, {
    palette: PALETTES.find((name) => name === palette),
  });
  const others = Object.keys(own).filter((name) => !names.includes(name));
  return [...names, ...others].map((name, index) => ({
    name,
    color: own[name] ?? hexOf(base[index]!),
    isOwn: Object.hasOwn(own, name),
  }));
}

/** Fills `container` with the swatches, and keeps the field of the property in step. */
export function createPaletteEditor(
  RED: EditorRed,
  $: Dollar,
  container: string,
  options: PaletteEditorOptions,
): void {
  const editor = new PaletteEditor(RED as Editor, $, $(container), options);
  editor.draw();
}

class PaletteEditor {
  readonly #red: Editor;
  readonly #$: Dollar;
  readonly #field: Elements;
  readonly #palette: Elements;
  readonly #labels: PartToggles;
  readonly #list: Elements;
  readonly #download: Elements;

  constructor(RED: Editor, $: Dollar, container: Elements, options: PaletteEditorOptions) {
    this.#red = RED;
    this.#$ = $;
    this.#field = $(`#node-input-${options.field}`);
    this.#palette = $(`#node-input-${options.palette}`);
    this.#labels = options.labels;

    container.empty().attr('role', 'group').attr('aria-label', this.#text('label.colors'));
    $('<style>').text(STYLE).appendTo(container);
    const bar = $('<div class="m2fp-parts-bar">').appendTo(container);
    const button = (key: string, press: () => void): void => {
      $('<button type="button" class="red-ui-button red-ui-button-small">')
        .text(this.#text(`colors.${key}`))
        .on('click', press)
        .appendTo(bar);
    };
    button('reset', () => this.#store('{}'));
    button('edit', () => this.#edit());
    const file = $('<input type="file" class="m2fp-upload" accept=".json,application/json">').appendTo(bar);
    button('import', () => file.trigger('click'));
    const take = (input: object): void => void this.#import(input as FileInput);
    file.on('change', function () {
      take(this);
    });
    this.#download = $('<a class="red-ui-button red-ui-button-small" download="palette.json">')
      .text(this.#text('colors.export'))
      .appendTo(bar);
    this.#list = $('<div class="m2fp-parts-list m2fp-parts-chips">').appendTo(container);

    this.#palette.on('change', () => this.draw());
    this.#labels.onChange(() => this.draw());
  }

  /** Builds the list anew; what cannot be read is left to the field's validator. */
  draw(): void {
    const own = this.#own();
    this.#list.empty();
    for (const swatch of swatchesOf(this.#labels.parts(), String(this.#palette.val()), own)) {
      this.#drawSwatch(swatch);
    }
    this.#offerDownload();
  }

  #drawSwatch({ name, color, isOwn }: { name: string; color: string; isOwn: boolean }): void {
    const $ = this.#$;
    const item = $('<span class="m2fp-color">').appendTo(this.#list);
    const label = $('<label class="m2fp-part">').appendTo(item);
    const picker = $('<input type="color">').val(color).appendTo(label);
    const shown = labelText(this.#red, name);
    $('<span>').text(shown).appendTo(label);
    const reset = $('<button type="button" class="m2fp-color-reset">')
      .text('×')
      .attr('aria-label', this.#text('colors.resetOne', { name: shown }))
      .attr('title', this.#text('colors.resetOne', { name: shown }))
      .toggle(isOwn)
      .appendTo(item);
    picker.on('input', () => {
      this.#write({ ...this.#own(), [name]: String(picker.val()) });
      reset.toggle(true);
    });
    reset.on('click', () => {
      const { [name]: _gone, ...rest } = this.#own();
      this.#write(rest);
      this.draw();
    });
  }

  #text(key: string, values?: Values): string {
    return nodeText(this.#red, 'm2fp-colorize', key, values);
  }

  #read(text: string): Record<string, string> {
    return readColors(
      text,
      this.#labels.parts().map(({ name }) => name),
    );
  }

  #own(): Record<string, string> {
    try {
      return this.#read(this.#field.val() ?? '');
    } catch {
      return {};
    }
  }

  #write(own: Readonly<Record<string, string>>): void {
    this.#field.val(JSON.stringify(own)).trigger('change');
    this.#offerDownload();
  }

  /** Takes over a user's JSON, or says that it is none. */
  #store(text: string): void {
    try {
      this.#write(this.#read(text));
      this.draw();
    } catch {
      this.#red.notify(this.#text('colors.invalid'), 'error');
    }
  }

  #edit(): void {
    this.#red.editor.editJSON({
      value: JSON.stringify(this.#own(), undefined, 2),
      requireValid: true,
      complete: (text) => this.#store(text),
    });
  }

  async #import(input: FileInput): Promise<void> {
    const [file] = input.files;
    if (file === undefined) return;
    this.#store(await file.text());
    // The same file can be chosen again.
    input.value = '';
  }

  /** All colours on show, not only the user's own: a palette for other nodes and tools. */
  #offerDownload(): void {
    const swatches = swatchesOf(this.#labels.parts(), String(this.#palette.val()), this.#own());
    const table = Object.fromEntries(swatches.map(({ name, color }) => [name, color]));
    const json = JSON.stringify(table, undefined, 2);
    this.#download.attr('href', `data:application/json;charset=utf-8,${encodeURIComponent(json)}`);
  }
}
