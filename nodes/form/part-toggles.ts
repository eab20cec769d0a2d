/** The labels as a list of checkboxes with their colours, in groups from head to foot. */
import { PART_GROUPS } from '../../src/m2fp/part-groups.ts';
import { type Choice, choose, invert, keep, type Offer, readChoice, writeChoice } from './chosen.ts';
import type { Dollar, EditorRed, Elements } from './editor.ts';
import { fetchLabels, firstSource, type LabelSource, type Part, sourcesOf } from './label-sets.ts';
import { labelText, sharedText, type Values } from './texts.ts';

export interface PartTogglesOptions {
  /** The property that holds the choice; its field is `#node-input-<field>`. */
  field: string;
  /** Whether the background and the whole person can be chosen, too. */
  background?: boolean;
}

export interface PartToggles {
  /** The labels on show; empty until they have come. */
  parts(): readonly Part[];
  /** Calls `listener` when other labels are on show. */
  onChange(listener: () => void): void;
}

const GROUPS = [...PART_GROUPS, 'other', 'whole'];

/** Fills `container` with the toggles. */
export function createPartToggles(
  RED: EditorRed,
  $: Dollar,
  container: string,
  options: PartTogglesOptions,
): PartToggles {
  const toggles = new Toggles(RED, $, $(container), options);
  const fill = async (): Promise<void> => {
    const sources = sourcesOf(RED, await fetchLabels($));
    toggles.offer(sources, firstSource(RED, sources));
  };
  void fill();
  return toggles;
}

class Toggles implements PartToggles {
  readonly #red: EditorRed;
  readonly #$: Dollar;
  readonly #field: Elements;
  readonly #withExtras: boolean;
  readonly #select: Elements;
  readonly #list: Elements;
  readonly #count: Elements;
  readonly #listeners: (() => void)[] = [];
  #sources: readonly LabelSource[] = [];
  #parts: readonly Part[] = [];
  #offer: Offer = { parts: [], extras: [] };
  #choice: Choice;
  /** The text that this list wrote last: a change to another comes from outside. */
  #written: string;

  constructor(RED: EditorRed, $: Dollar, container: Elements, { field, background }: PartTogglesOptions) {
    this.#red = RED;
    this.#$ = $;
    this.#field = $(`#node-input-${field}`);
    this.#withExtras = background === true;
    this.#written = this.#stored();
    this.#choice = readChoice(this.#written, this.#offer);

    container.empty().addClass('m2fp-parts').attr('role', 'group').attr('aria-label', this.#text('title'));
    const bar = $('<div class="m2fp-parts-bar">').appendTo(container);
    const label = $('<label>').appendTo(bar);
    $('<span>').text(this.#text('labelsOf')).appendTo(label);
    this.#select = $('<select>').appendTo(label);
    this.#select.on('change', () => this.#show(String(this.#select.val())));
    const button = (name: string, apply: () => Choice): void => {
      $('<button type="button" class="red-ui-button red-ui-button-small">')
        .text(this.#text(name))
        .on('click', () => this.#choose(apply()))
        .appendTo(bar);
    };
    button('all', () => choose(this.#choice, this.#offer.parts, true));
    button('none', () => ({ chosen: [], kept: [] }));
    button('invert', () => invert(this.#choice, this.#offer));
    this.#list = $('<div class="m2fp-parts-list">').appendTo(container);
    this.#count = $('<div class="m2fp-parts-count" aria-live="polite">').appendTo(container);

    // Also set from outside, for example by a preset.
    this.#field.on('change', () => {
      if (this.#stored() !== this.#written) this.#read();
    });
  }

  parts(): readonly Part[] {
    return this.#parts;
  }

  onChange(listener: () => void): void {
    this.#listeners.push(listener);
  }

  /** Offers the labels of `sources`, first those of `id`. */
  offer(sources: readonly LabelSource[], id: string): void {
    this.#sources = sources;
    for (const source of sources) {
      this.#$('<option>').attr('value', source.id).text(source.name).appendTo(this.#select);
    }
    this.#select.val(id);
    this.#show(id);
  }

  #text(key: string, values?: Values): string {
    return sharedText(this.#red, `parts.${key}`, values);
  }

  #stored(): string {
    return this.#field.val() ?? '';
  }

  /** Shows the labels of the source `id`. */
  #show(id: string): void {
    this.#parts = this.#sources.find((source) => source.id === id)?.parts ?? [];
    this.#read();
    for (const listener of this.#listeners) listener();
  }

  /** Takes over what is stored. The background and the whole person are on show also where they are chosen already. */
  #read(): void {
    this.#written = this.#stored();
    const names = (isExtra: boolean): string[] =>
      this.#parts.filter(({ group }) => (group === 'whole') === isExtra).map(({ name }) => name);
    const whole = { parts: names(false), extras: names(true) };
    this.#choice = readChoice(this.#written, whole);
    const { chosen } = this.#choice;
    this.#offer = this.#withExtras
      ? whole
      : { ...whole, extras: whole.extras.filter((name) => chosen.includes(name)) };
    this.#draw();
  }

  #choose(choice: Choice): void {
    this.#choice = choice;
    this.#written = writeChoice(choice, this.#offer);
    this.#field.val(this.#written).trigger('change');
    this.#update();
  }

  /** Builds the list anew. */
  #draw(): void {
    this.#list.empty();
    const onShow = [...this.#offer.parts, ...this.#offer.extras];
    for (const group of GROUPS) {
      const parts = this.#parts.filter((part) => part.group === group && onShow.includes(part.name));
      if (parts.length > 0) this.#drawGroup(group, parts);
    }
    const { kept } = this.#choice;
    if (kept.length > 0) {
      const missing = kept.map((name) => ({ name, color: 'transparent', group: 'missing' }));
      this.#drawGroup('missing', missing);
    }
    this.#update();
  }

  #drawGroup(group: string, parts: readonly Part[]): void {
    const $ = this.#$;
    const isMissing = group === 'missing';
    const title = this.#text(`group.${group}`);
    const row = $('<div class="m2fp-parts-group" role="group">')
      .attr('aria-label', title)
      .toggleClass('m2fp-parts-missing', isMissing)
      .appendTo(this.#list);
    const names = parts.map(({ name }) => name);
    this.#checkbox(names, isMissing, $('<span>').text(title)).addClass('m2fp-parts-title').appendTo(row);
    const chips = $('<div class="m2fp-parts-chips">').appendTo(row);
    for (const { name, color } of parts) {
      const swatch = $('<span class="m2fp-swatch" aria-hidden="true">').css('background-color', color);
      this.#checkbox([name], isMissing, swatch, $('<span>').text(labelText(this.#red, name))).appendTo(chips);
    }
  }

  /** A label with a checkbox that stands for `names`. */
  #checkbox(names: readonly string[], isMissing: boolean, ...content: Elements[]): Elements {
    const $ = this.#$;
    const box = $('<input type="checkbox">').data('names', names);
    box.on('change', () => {
      const isChosen = box.prop('checked') === true;
      this.#choose((isMissing ? keep : choose)(this.#choice, names, isChosen));
    });
    return $('<label class="m2fp-part">').append(box, ...content);
  }

  /** Sets the checkboxes and the count. */
  #update(): void {
    const { chosen, kept } = this.#choice;
    const isChosen = (name: string): boolean => chosen.includes(name) || kept.includes(name);
    const $ = this.#$;
    this.#list.find('input').each(function () {
      const names = $(this).data('names') as readonly string[];
      const count = names.filter(isChosen).length;
      $(this)
        .prop('checked', count === names.length)
        .prop('indeterminate', count > 0 && count < names.length);
    });
    const n = this.#offer.parts.filter(isChosen).length;
    const of = this.#offer.parts.length;
    const key = n === of ? 'countAll' : chosen.length + kept.length === 0 ? 'countNone' : 'count';
    this.#count.text(of === 0 ? this.#text('unknown') : this.#text(key, { n, of }));
    this.#count.toggleClass('m2fp-parts-error', key === 'countNone');
  }
}
