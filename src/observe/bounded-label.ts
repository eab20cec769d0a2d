/** Values of a label that come from flows and messages, and must not make series without end. */

/** As many different values are told apart. */
const MAX_VALUES = 100;

/** What all further ones are counted as. */
const OTHERS = 'other';

/** Characters of a value. */
const MAX_LENGTH = 100;

/** The first hundred values as they are; {@link OTHERS} for every one that comes later. */
export class BoundedLabel {
  readonly #seen = new Set<string>();

  /** @param value absent and blank are the same: no label */
  of(value: string | undefined): string {
    // Half of a character that is cut in two is none.
    const text = Buffer.from((value ?? '').slice(0, MAX_LENGTH)).toString();
    if (text === '' || this.#seen.has(text)) return text;
    if (this.#seen.size >= MAX_VALUES) return OTHERS;
    this.#seen.add(text);
    return text;
  }
}
