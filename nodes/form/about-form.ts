/** The values of the config node's form, as they stand in its fields. */
import { prefixOf } from './dialog.ts';
import type { Dollar, EditorNode, Elements } from './editor.ts';

/** The fields by which the form names another model. */
const CHOICE = ['source', 'folder', 'modelId', 'revision', 'precision', 'ema', 'baseUrl', 'redis', 'queue'];

export class AboutForm {
  readonly #$: Dollar;
  readonly #node: EditorNode;
  /** What tells one model from another, as the form opened. */
  readonly #opened: string;

  constructor($: Dollar, node: EditorNode) {
    this.#$ = $;
    this.#node = node;
    this.#opened = this.#choice;
  }

  get id(): string {
    return this.#node.id;
  }

  field(name: string): Elements {
    return this.#$(`#${prefixOf(this.#node)}${name}`);
  }

  /** All its values, as JSON. */
  get json(): string {
    const values = this.#valuesOf(this.#properties);
    return JSON.stringify({ ...values, credentials: this.#valuesOf(this.#credentials), id: this.id });
  }

  /** Whether it names what is deployed, as far as that shows without asking. */
  get isUnchanged(): boolean {
    return this.#node['changed'] !== true && this.#choice === this.#opened;
  }

  /** What it wants: another model, or the same one made of other pictures, has another. */
  get wanted(): string {
    return JSON.stringify(this.#valuesOf([...CHOICE, 'pictures']));
  }

  get #choice(): string {
    return JSON.stringify(this.#valuesOf(CHOICE));
  }

  /** What the form itself says of the first field that is wrong: nobody else has to be asked then. */
  get mistake(): string | undefined {
    for (const [name, value] of Object.entries(this.#valuesOf(this.#properties))) {
      const verdict = this.#node._def.defaults[name]?.validate?.call(this.#node, value, {});
      if (typeof verdict === 'string') return verdict;
    }
    return undefined;
  }

  /** Tells of each change of a value. */
  onChange(listener: () => void): void {
    let entered = this.json;
    for (const name of [...this.#properties, ...this.#credentials]) {
      this.field(name).on('change input', () => {
        const now = this.json;
        // A field that is left tells of its change once more, also when a button below is pressed.
        if (now === entered) return;
        entered = now;
        listener();
      });
    }
  }

  get #properties(): string[] {
    return Object.keys(this.#node._def.defaults);
  }

  get #credentials(): string[] {
    return Object.keys(this.#node._def.credentials ?? {});
  }

  /** Of the fields that the form has. */
  #valuesOf(names: readonly string[]): Record<string, unknown> {
    const values = names.flatMap((name) => {
      const field = this.field(name);
      if (field.length === 0) return [];
      return [[name, field.attr('type') === 'checkbox' ? field.prop('checked') : field.val()] as const];
    });
    return Object.fromEntries(values);
  }
}
