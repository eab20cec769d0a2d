/**
 * An editor for zones and lines on a camera's picture, for the form of any node:
 *
 * - In `config.ts` a field that keeps a JSON text: `zones: areasOption()` of `src/people/zones/areas-option.ts`.
 * - In the html `<form-row name="zones" icon="map-o" container="zones" />`, and in `oneditprepare`, after
 *   `M2FP.form.prepare(this)`: `M2FP.form.zoneEditor(this, '#m2fp-track-zones', { field: 'zones', lines: true });`
 * - At run time `readAreas` of `src/people/zones/areas.ts` reads the field, and `offerPictures` of
 *   `nodes/common/next-picture.ts` lets the editor ask for the next picture that passes the node.
 */
import { readAreas } from '../../src/people/zones/areas.ts';
import { prefixOf } from './dialog.ts';
import type { Dollar, EditorNode, EditorRed, Elements } from './editor.ts';
import { sharedText, type Values } from './texts.ts';
import { Board } from './zone-board.ts';
import { find, html, type PageElement } from './zone-dom.ts';
import { Drawing } from './zone-drawing.ts';
import { pictureOfFile, pictureOfNode } from './zone-picture.ts';
import { colourOf } from './zone-shapes.ts';
import { ZONE_STYLE } from './zone-style.ts';

export interface ZoneEditorOptions {
  /** The property that holds the areas, as JSON. */
  field: string;
  /** Whether lines can be drawn, too; default false. */
  lines?: boolean;
  /** Key of the shared catalogue for what a new zone is called; default `zones.zone`. */
  word?: string;
}

/** Fills the element `container`, and keeps the field of the property in step. Works without a picture, too. */
export function createZoneEditor(
  RED: EditorRed,
  $: Dollar,
  node: EditorNode,
  container: string,
  options: ZoneEditorOptions,
): void {
  const place = find(container);
  if (place !== null) new ZoneEditor(RED, $, node, place, options).draw();
}

class ZoneEditor {
  readonly #red: EditorRed;
  readonly #$: Dollar;
  readonly #node: EditorNode;
  readonly #options: ZoneEditorOptions;
  readonly #field: Elements;
  readonly #drawing: Drawing;
  readonly #board: Board;
  readonly #list = html('ul', { class: 'm2fp-zones-list' });
  /** Read out by screen readers when it changes. */
  readonly #said = html('div', { class: 'm2fp-zones-said', role: 'status', 'aria-live': 'polite' });
  readonly #undo: PageElement;
  readonly #redo: PageElement;
  readonly #ask: PageElement;
  #cancel: (() => void) | undefined;

  constructor(RED: EditorRed, $: Dollar, node: EditorNode, place: PageElement, options: ZoneEditorOptions) {
    this.#red = RED;
    this.#$ = $;
    this.#node = node;
    this.#options = options;
    this.#field = $(`#${prefixOf(node)}${options.field}`);
    this.#drawing = new Drawing(this.#stored());
    this.#board = new Board(this.#drawing, {
      text: (key, values) => this.#text(key, values),
      chosen: () => this.#drawList(),
      changed: (said) => {
        this.#store();
        this.#drawList();
        if (said !== undefined) this.#said.textContent = said;
      },
    });
    const word = this.#text(options.word ?? 'zones.zone');
    const add = [this.#button('plus', 'zones.addZone', () => this.#add('zone', word))];
    if (options.lines === true)
      add.push(this.#button('plus', 'zones.addLine', () => this.#add('line', this.#text('zones.line'))));
    this.#undo = this.#button('undo', 'zones.undo', () => this.#travel('undo'));
    this.#redo = this.#button('repeat', 'zones.redo', () => this.#travel('redo'));
    this.#ask = this.#button('camera', 'zones.fromNode', () => void this.#askNode());
    place.setAttribute('role', 'group');
    place.setAttribute('class', 'm2fp-zones');
    place.replaceChildren(
      html('style', {}, ZONE_STYLE),
      html('div', { class: 'm2fp-zones-bar' }, ...add, this.#undo, this.#redo),
      this.#board.element,
      html('div', { class: 'm2fp-zones-bar' }, this.#ask, ...this.#filePicker()),
      this.#said,
      this.#list,
      html('div', { class: 'm2fp-quiet' }, this.#text('zones.keys')),
    );
    place.addEventListener('keydown', (event) => {
      if (!(event.ctrlKey || event.metaKey) || event.altKey) return;
      const key = event.key.toLowerCase();
      const step = key === 'y' || (key === 'z' && event.shiftKey) ? 'redo' : key === 'z' ? 'undo' : undefined;
      if (step === undefined) return;
      event.preventDefault();
      event.stopPropagation();
      this.#travel(step);
    });
  }

  draw(): void {
    this.#board.draw();
    this.#drawList();
  }

  #text(key: string, values?: Values): string {
    return sharedText(this.#red, key, values);
  }

  #button(icon: string, key: string, press: () => void): PageElement {
    const button = html(
      'button',
      { type: 'button', class: 'red-ui-button red-ui-button-small' },
      html('i', { class: `fa fa-${icon}`, 'aria-hidden': 'true' }),
      ` ${this.#text(key)}`,
    );
    button.addEventListener('click', press);
    return button;
  }

  /** What cannot be read is left to the field's validator, until something is drawn. */
  #stored(): ReturnType<typeof readAreas> {
    try {
      return readAreas(this.#options.field, this.#field.val());
    } catch {
      return [];
    }
  }

  #store(): void {
    const { areas } = this.#drawing;
    this.#field.val(areas.length === 0 ? '' : JSON.stringify(areas)).trigger('change');
  }

  #add(kind: 'zone' | 'line', word: string): void {
    const added = this.#drawing.add(kind, word);
    if (!added) {
      this.#said.textContent = this.#text('zones.full');
      return;
    }
    this.#store();
    this.draw();
    this.#board.focus(`${this.#drawing.chosen}.0`);
    this.#said.textContent = this.#text('zones.added', { name: this.#drawing.areas.at(-1)!.name });
  }

  #travel(step: 'undo' | 'redo'): void {
    this.#drawing[step]();
    this.#store();
    this.draw();
    this.#said.textContent = this.#text(step === 'undo' ? 'zones.undone' : 'zones.redone');
  }

  #drawList(): void {
    const { areas, chosen, canUndo, canRedo } = this.#drawing;
    this.#undo.disabled = !canUndo;
    this.#redo.disabled = !canRedo;
    this.#list.replaceChildren(
      ...areas.map(({ name, kind }, index) => {
        const input = html('input', { type: 'text', 'aria-label': this.#text('zones.name', { name }) });
        input.value = name;
        input.addEventListener('change', () => {
          const taken = this.#drawing.rename(index, input.value);
          if (!taken) this.#said.textContent = this.#text('zones.nameTaken');
          this.#store();
          this.draw();
        });
        input.addEventListener('focus', () => {
          this.#drawing.choose(index);
          this.#board.draw();
        });
        const row = html(
          'li',
          { class: index === chosen ? 'm2fp-zones-chosen' : '' },
          html('span', { class: 'm2fp-swatch', style: `background: ${colourOf(index)}` }),
          input,
          html('span', { class: 'm2fp-quiet' }, this.#text(`zones.${kind}`)),
        );
        if (kind === 'line')
          row.append(this.#rowButton('exchange', 'zones.flip', name, () => this.#drawing.flip(index)));
        row.append(this.#rowButton('trash-o', 'zones.remove', name, () => this.#drawing.remove(index)));
        return row;
      }),
    );
  }

  #rowButton(icon: string, key: string, name: string, change: () => void): PageElement {
    const text = this.#text(key, { name });
    const button = html(
      'button',
      { type: 'button', class: 'red-ui-button red-ui-button-small', title: text, 'aria-label': text },
      html('i', { class: `fa fa-${icon}`, 'aria-hidden': 'true' }),
    );
    button.addEventListener('click', () => {
      change();
      this.#store();
      this.draw();
    });
    return button;
  }

  #filePicker(): PageElement[] {
    const input = html('input', { type: 'file', accept: 'image/*', hidden: '' });
    const take = async (): Promise<void> => {
      const file = input.files?.[0];
      if (file === undefined) return;
      // The same file can be chosen again.
      input.value = '';
      try {
        this.#board.show(await pictureOfFile(file));
        this.#said.textContent = '';
      } catch {
        this.#said.textContent = this.#text('zones.noPicture');
      }
    };
    input.addEventListener('change', () => void take());
    return [this.#button('folder-open-o', 'zones.fromDisk', () => input.click()), input];
  }

  /** Waits for the next picture that passes the node; pressed once more, it gives up. */
  async #askNode(): Promise<void> {
    if (this.#cancel !== undefined) return this.#cancel();
    const { answer, cancel } = pictureOfNode(this.#$, this.#node.id);
    let isGivenUp = false;
    this.#cancel = () => {
      isGivenUp = true;
      cancel();
    };
    this.#said.textContent = this.#text('zones.waiting');
    const picture = await answer;
    this.#cancel = undefined;
    if (typeof picture === 'object') this.#board.show(picture);
    this.#said.textContent =
      typeof picture === 'object' || isGivenUp ? '' : this.#text(`zones.picture.${picture}`);
  }
}
