/**
 * The fields of the nodes' forms. `FIELDS` in each node's `config.ts` lists them, options and others, each told once: the
 * build writes them into the node's html, and a node that lacks some behaves as if it had what the form begins with.
 */
import type { NodeDef } from 'node-red';
import type { FormField, FormFields, Stored } from '../../src/parsing/options/option-table.ts';

/** A field that is no option of an operation. */
export interface Field<Value = string> {
  readonly form: FormField<Value> & {
    /** More for Node-RED's definition of the property. */
    readonly definition?: { readonly type?: string; readonly required?: boolean };
  };
}

/** A node as flows store it. */
export type Config<Fields extends FormFields> = NodeDef & Stored<Fields>;

/** A text, or what a widget keeps as one. */
export function textField(value: string, form: Partial<FormField> = {}): Field {
  return { form: { value, input: 'text', ...form } };
}

/** Where a value may come from, or be put. */
const PLACES = ['msg', 'flow', 'global'];

interface TypedOptions {
  /** The first one is that of a new form. */
  types?: readonly string[];
  check?: 'property' | 'optional';
  required?: true;
}

/** A TypedInput `name`, and in `name` + "Type" where its value comes from. */
export function typedField<Name extends string>(
  name: Name,
  value: string,
  { types = PLACES, check = 'property', required }: TypedOptions = {},
): Record<Name | `${Name}Type`, Field> {
  const field: Field = {
    form: {
      value,
      input: 'typed',
      choices: types,
      check: [check],
      ...(required && { definition: { required } }),
    },
  };
  return { [name]: field, [`${name}Type`]: textField(types[0]!, { input: 'hidden' }) } as Record<
    Name | `${Name}Type`,
    Field
  >;
}

/** The config node; none chosen means the bundled model. */
export const MODEL_FIELD = {
  model: {
    form: { value: '', input: 'model', definition: { type: 'm2fp-model', required: false } },
  } as Field,
};

/** What a form begins with, by the fields' names. */
export function beginning<Fields extends FormFields>(fields: Fields): Stored<Fields> {
  return Object.fromEntries(
    Object.entries(fields).map(([name, { form }]) => [name, form.value]),
  ) as Stored<Fields>;
}

/**
 * The configuration of a node in full: what it stores, and what the form begins with for each field that it does not. Those
 * that were made by an API or written by hand may lack any.
 */
export function withDefaults<Fields extends FormFields>(
  fields: Fields,
  stored: NodeDef & { readonly [Name in keyof Fields]?: unknown },
): Config<Fields> {
  const given = Object.entries(stored).filter(([, value]) => value !== undefined && value !== null);
  return { ...beginning(fields), ...Object.fromEntries(given) } as unknown as Config<Fields>;
}
