/** The list below a zone editor's picture: a row for each area, with its name and its buttons. */
import type { AreaKind } from '../../src/people/zones/areas.ts';
import type { Values } from './texts.ts';
import { html, type PageElement } from './zone-dom.ts';
import type { Drawing } from './zone-drawing.ts';
import { colourOf } from './zone-shapes.ts';

/** What the list tells the editor around it. */
export interface ListListener {
  /** Something was renamed, turned round or removed. */
  changed(): void;
  chosen(): void;
  /** A name was not taken: it is blank, or another area's. */
  refused(): void;
  text(key: string, values?: Values): string;
  /** A name is being written. */
  writing(): void;
}

interface Row {
  kind: AreaKind;
  item: PageElement;
  input: PageElement;
  buttons: { element: PageElement; key: string }[];
}

export class AreaList {
  readonly element = html('ul', { class: 'm2fp-zones-list' });
  readonly #drawing: Drawing;
  readonly #listener: ListListener;
  #rows: Row[] = [];
  /** Letters came, and were not drawn over since. */
  #hasInput = false;

  constructor(drawing: Drawing, listener: ListListener) {
    this.#drawing = drawing;
    this.#listener = listener;
  }

  /** Whether a field has another name than its area: it is still being written. */
  get isWritten(): boolean {
    const { areas } = this.#drawing;
    return this.#hasInput && this.#rows.some(({ input }, index) => input.value !== areas[index]?.name);
  }

  /** Draws all of it anew; a name that is being written is gone. */
  draw(): void {
    const { areas, chosen } = this.#drawing;
    this.#hasInput = false;
    // Rows stay as long as they can: whoever has just named one is on the way to the next.
    if (areas.map(({ kind }) => kind).join() !== this.#rows.map(({ kind }) => kind).join()) {
      this.#rows = areas.map(({ kind }, index) => this.#rowOf(kind, index));
      this.element.replaceChildren(...this.#rows.map(({ item }) => item));
    }
    for (const [index, { item, input, buttons }] of this.#rows.entries()) {
      const { name } = areas[index]!;
      item.setAttribute('class', index === chosen ? 'm2fp-zones-chosen' : '');
      input.setAttribute('aria-label', this.#listener.text('zones.name', { name }));
      input.value = name;
      for (const { element, key } of buttons) {
        element.setAttribute('title', this.#listener.text(key, { name }));
        element.setAttribute('aria-label', this.#listener.text(key, { name }));
      }
    }
  }

  #rowOf(kind: AreaKind, index: number): Row {
    const input = html('input', { type: 'text' });
    input.addEventListener('input', () => {
      this.#hasInput = true;
      this.#listener.writing();
    });
    input.addEventListener('change', () => {
      if (this.#drawing.rename(index, input.value)) this.#listener.changed();
      else this.#listener.refused();
    });
    input.addEventListener('focus', () => {
      this.#drawing.choose(index);
      this.#listener.chosen();
    });
    const buttons = [
      ...(kind === 'line' ? [this.#button('exchange', 'zones.flip', () => this.#drawing.flip(index))] : []),
      this.#button('trash-o', 'zones.remove', () => this.#drawing.remove(index)),
    ];
    const item = html(
      'li',
      {},
      html('span', { class: 'm2fp-swatch', style: `background: ${colourOf(index)}` }),
      input,
      html('span', { class: 'm2fp-quiet' }, this.#listener.text(`zones.${kind}`)),
      ...buttons.map(({ element }) => element),
    );
    return { kind, item, input, buttons };
  }

  #button(icon: string, key: string, change: () => void): Row['buttons'][number] {
    const element = html(
      'button',
      { type: 'button', class: 'red-ui-button red-ui-button-small' },
      html('i', { class: `fa fa-${icon}`, 'aria-hidden': 'true' }),
    );
    element.addEventListener('click', () => {
      change();
      this.#listener.changed();
    });
    return { element, key };
  }
}
