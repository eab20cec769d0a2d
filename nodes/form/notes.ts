/** A list of notes; of more than fit, only how many there are is shown until somebody wants to read them. */
import type { AboutText } from './about-rows.ts';
import type { Dollar, Elements } from './editor.ts';

/** So many are shown at once. */
const SHOWN = 5;

export class Notes {
  readonly #$: Dollar;
  readonly #text: AboutText;
  readonly #box: Elements;
  #shown: readonly string[] = [];

  constructor($: Dollar, container: Elements, text: AboutText) {
    this.#$ = $;
    this.#text = text;
    this.#box = $('<div>').appendTo(container);
  }

  show(notes: readonly string[]): void {
    // Drawn once: whoever has opened or closed them finds them so.
    if (notes.join('\n') === this.#shown.join('\n')) return;
    this.#shown = notes;
    this.#box.empty();
    if (notes.length === 0) return;
    const $ = this.#$;
    const details = $('<details>').appendTo(this.#box);
    if (notes.length <= SHOWN) details.attr('open', 'open');
    $('<summary>')
      .text(this.#text('download.notes', { n: notes.length }))
      .appendTo(details);
    const list = $('<ul>').appendTo(details);
    for (const note of notes) $('<li>').text(note).appendTo(list);
  }
}
