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
import { find, focused, html, type PageElement } from './zone-dom.ts';
import { Drawing } from './zone-drawing.ts';
import { AreaList } from './zone-list.ts';
import { pictureOfFile, pictureOfNode } from './zone-picture.ts';
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
  readonly #place: PageElement;
  readonly #addZone: PageElement;
  readonly #list: AreaList;
  /** Read out by screen readers when it changes. */
  readonly #said = html('div', { class: 'm2fp-zones-said', role: 'status', 'aria-live': 'polite' });
  readonly #undo: PageElement;
  readonly #redo: PageElement;
  readonly #ask: PageElement;
  /** A name was refused, and nothing was done since: it is what is taken back next. */
  #isRefused = false;
  #cancel: (() => void) | undefined;

  constructor(RED: EditorRed, $: Dollar, node: EditorNode, place: PageElement, options: ZoneEditorOptions) {
    this.#red = RED;
    this.#$ = $;
    this.#node = node;
    this.#options = options;
    this.#place = place;
    this.#field = $(`#${prefixOf(node)}${options.field}`);
    this.#drawing = new Drawing(this.#stored());
    this.#board = new Board(this.#drawing, {
      text: (key, values) => this.#text(key, values),
      chosen: () => this.#drawList(),
      changed: (said) => {
        this.#store();
        this.#drawList();
        if (said !== undefined) this.#say(said);
      },
    });
    this.#list = new AreaList(this.#drawing, {
      text: (key, values) => this.#text(key, values),
      chosen: () => this.#board.draw(),
      changed: () => {
        this.#store();
        this.draw();
      },
      refused: () => {
        this.draw();
        this.#say(this.#text('zones.nameTaken'));
        this.#isRefused = true;
      },
      writing: () => this.#forgetRefused(),
    });
    const word = this.#text(options.word ?? 'zones.zone');
    this.#addZone = this.#button('plus', 'zones.addZone', () => this.#add('zone', word));
    const add = [this.#addZone];
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
      this.#list.element,
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

  /** Draws all of it anew. The focus stays in the editor, also where what had it is gone: keys go on to work. */
  draw(): void {
    const before = focused();
    const had = before !== undefined && this.#place.contains(before);
    const handle = before?.getAttribute('data-handle') ?? null;
    this.#board.draw();
    this.#drawList();
    const now = focused();
    if (!had || (now !== undefined && this.#place.contains(now))) return;
    if (handle !== null && this.#board.focus(handle)) return;
    if (!this.#board.focus(`${this.#drawing.chosen}`)) this.#addZone.focus({ preventScroll: true });
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

  #say(text: string): void {
    this.#isRefused = false;
    this.#said.textContent = text;
  }

  #forgetRefused(): void {
    if (this.#isRefused) this.#say('');
  }

  #store(): void {
    this.#forgetRefused();
    const { areas } = this.#drawing;
    this.#field.val(areas.length === 0 ? '' : JSON.stringify(areas)).trigger('change');
  }

  #add(kind: 'zone' | 'line', word: string): void {
    const added = this.#drawing.add(kind, word);
    if (!added) {
      this.#say(this.#text('zones.full'));
      return;
    }
    this.#store();
    this.draw();
    this.#board.focus(`${this.#drawing.chosen}.0`);
    this.#say(this.#text('zones.added', { name: this.#drawing.areas.at(-1)!.name }));
  }

  #travel(step: 'undo' | 'redo'): void {
    // A name that is being written, or was refused, is no step yet: no other may go with it.
    if (step === 'redo' && this.#list.isWritten) return;
    if (step === 'undo' && (this.#list.isWritten || this.#isRefused)) {
      this.#list.draw();
      this.#forgetRefused();
      return;
    }
    this.#drawing[step]();
    this.#store();
    this.draw();
    this.#say(this.#text(step === 'undo' ? 'zones.undone' : 'zones.redone'));
  }

  #drawList(): void {
    const { canUndo, canRedo } = this.#drawing;
    this.#undo.disabled = !canUndo;
    this.#redo.disabled = !canRedo;
    this.#list.draw();
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
        this.#say('');
      } catch {
        this.#say(this.#text('zones.noPicture'));
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
    this.#say(this.#text('zones.waiting'));
    const picture = await answer;
    this.#cancel = undefined;
    if (typeof picture === 'object') this.#board.show(picture);
    this.#say(typeof picture === 'object' || isGivenUp ? '' : this.#text(`zones.picture.${picture}`));
  }
}
