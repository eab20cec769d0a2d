/**
 * What flows store of a node's form, checked before it is used: the editor stores nothing else than the form has, but
 * flows are also written by hand, by programs, and with environment variables.
 */
import type { Node, NodeAPI, NodeDef, NodeMessageInFlow } from 'node-red';
import { M2fpError } from '../../src/errors.ts';
import type { FormField, FormFields, Option } from '../../src/parsing/options/option-table.ts';
import { isRecord, show } from '../../src/parsing/options/options.ts';
import { asSetupFault, codeOf } from './failure.ts';
import { noteMisfit } from './fitness.ts';
import { type Config, withDefaults } from './form-fields.ts';
import type { Work } from './message-handler.ts';
import type { StatusLine } from './status.ts';

/** Whether a stored value may stand in a field, and how an error calls what may. */
interface Kind {
  isRight: (value: unknown) => boolean;
  allowed: string;
}

/** The environment variable that the whole text names. */
export function variableIn(text: unknown): string | undefined {
  return typeof text === 'string' ? /^\$\{([^}]+)\}$/.exec(text)?.[1] : undefined;
}

/** Gives what was entered in a field, before Node-RED put the value of an environment variable in. */
export type Entered = (name: string) => unknown;

/** From the flow that is deployed; a node of a sub-flow has its fields in the template. */
export function enteredIn(RED: NodeAPI, node: Node & { _alias?: string }): Entered {
  return (name) => {
    let found: unknown;
    RED.nodes?.eachNode((stored) => {
      if (stored.id === (node._alias ?? node.id))
        found = (stored as unknown as Record<string, unknown>)[name];
    });
    return found;
  };
}

/** The error for a field: its value, the variable that the value is of, and what is allowed. */
export function badField(name: string, value: unknown, allowed: string, entered: Entered): M2fpError {
  const missing = variableIn(typeof value === 'string' ? value.trim() : value);
  if (missing !== undefined) {
    return new M2fpError(
      'M2FP_BAD_OPTION',
      `There is no environment variable ${missing}, which the option "${name}" names: set it, or enter what is ` +
        `allowed: ${allowed}.`,
    );
  }
  const variable = variableIn(entered(name));
  const origin = variable === undefined ? '' : `, the value of the environment variable ${variable}`;
  return new M2fpError(
    'M2FP_BAD_OPTION',
    `Option "${name}" is ${value === undefined ? 'no text' : show(value)}${origin}; allowed: ${allowed}.`,
  );
}

/**
 * A configuration in full: what the node stores, and what the form begins with for each field that it does not; a blank
 * choice is the first one, and what an environment variable says of a checkbox is true or false.
 */
export function completed<Fields extends FormFields>(
  fields: Fields,
  stored: NodeDef & { readonly [Name in keyof Fields]?: unknown },
): Config<Fields> {
  const config: Record<string, unknown> = { ...withDefaults(fields, stored) };
  for (const [name, { form }] of Object.entries(fields)) {
    const value = config[name];
    if (typeof value !== 'string') continue;
    const text = value.trim();
    if (form.input === 'checkbox') {
      if (['true', 'false', ''].includes(text)) config[name] = text === '' ? form.value : text === 'true';
    } else if (form.input === 'select' || form.input === 'hidden') config[name] = text || form.value;
  }
  return config as unknown as Config<Fields>;
}

/**
 * Every field holds what its kind takes. What an option takes beyond that, its table checks where it is used.
 * @param isHidden of a field that the form does not show, any text is left alone: nobody can mend it there
 * @throws {M2fpError} `M2FP_BAD_OPTION` naming the first one that holds something else
 */
export function checkFields(
  fields: FormFields,
  config: object,
  entered: Entered,
  isHidden: (name: string) => boolean = () => false,
): void {
  const values = config as Readonly<Record<string, unknown>>;
  for (const [name, field] of Object.entries(fields)) {
    // An option that is a text has a reader of its own, which says more.
    if (isOption(field) && isFreeText(field.form)) continue;
    const { isRight, allowed } = kindOf(name, fields);
    const value = values[name];
    if (isRight(value) || isTaken(field, value)) continue;
    if (isHidden(name) && typeof value === 'string') continue;
    // What an address holds that is no text may be a password.
    const isAddress = field.form.input === 'text' && typeof value === 'object';
    throw badField(name, isAddress ? undefined : value, allowed, entered);
  }
}

function isOption(field: FormFields[string]): field is Option<unknown> {
  return 'read' in field;
}

/** Whether an option takes it that the form does not offer: an older name, or "auto" for a number. */
function isTaken(field: FormFields[string], value: unknown): boolean {
  // A checkbox takes any word for false.
  if (!isOption(field) || typeof value !== 'string' || field.form.input === 'checkbox') return false;
  try {
    field.read('', field.field(value));
    return true;
  } catch {
    return false;
  }
}

function isFreeText({ input }: FormField<unknown>): boolean {
  return input === 'text' || input === 'list' || input === 'color';
}

function kindOf(name: string, fields: FormFields): Kind {
  const { form } = fields[name]!;
  const { input, choices = [], value } = form;
  switch (input) {
    case 'checkbox':
      return { isRight: (given) => typeof given === 'boolean', allowed: 'true, false' };
    case 'number':
      return { isRight: isNumeric, allowed: rangeOf(form) };
    case 'select':
      return oneOf(choices);
    case 'hidden':
      return oneOf(fields[name.replace(/Type$/, '')]?.form.choices ?? []);
    case 'typed': {
      const isNumber = choices.includes('num');
      return {
        isRight: (given) => typeof given === 'string' || (isNumber && typeof given === 'number'),
        allowed: isNumber
          ? 'a number, or a text that names a property'
          : `a text that names a property, such as ${JSON.stringify(value)}`,
      };
    }
    default:
      return { isRight: (given) => typeof given === 'string', allowed: 'a text' };
  }
}

function oneOf(choices: readonly string[]): Kind {
  return {
    isRight: (given) => (choices as readonly unknown[]).includes(given),
    allowed: choices.join(', '),
  };
}

/** A number, or a text that is one or blank. */
function isNumeric(value: unknown): boolean {
  return typeof value === 'number' || (typeof value === 'string' && !Number.isNaN(Number(value)));
}

/** "a whole number from 0 to 64" */
export function rangeOf({ check = ['between'] }: Pick<FormField<unknown>, 'check'>): string {
  const [kind, min, max] = check;
  const noun = kind === 'whole' ? 'a whole number' : 'a number';
  return min === undefined ? noun : `${noun} from ${min} to ${max}`;
}

/** A node's form as the node uses it. */
export interface StoredForm<Fields extends FormFields> {
  config: Config<Fields>;
  /**
   * `work` for a node whose form is right; where it is wrong, the status says so at once, and every message ends in the error.
   * An error about the form is no fault of an HTTP client.
   */
  guard(status: StatusLine, work: Work): Work;
}

/**
 * The form that a flow stored, completed with what the fields begin with. Throws for no value: what is wrong shows in
 * {@link StoredForm.guard}.
 */
export function readForm<Fields extends FormFields>(
  RED: NodeAPI,
  node: Node,
  fields: Fields,
  stored: NodeDef & { readonly [Name in keyof Fields]?: unknown },
): StoredForm<Fields> {
  const config = completed(fields, stored);
  return {
    config,
    guard(status, work) {
      try {
        checkFields(fields, config, enteredIn(RED, node));
      } catch (error) {
        status.error(asSetupFault(error));
        noteMisfit(node, error);
        return async () => {
          throw error;
        };
      }
      return async (msg, signal) => {
        try {
          return await work(msg, signal);
        } catch (error) {
          throw isAboutForm(node.type, fields, msg, error) ? asSetupFault(error) : error;
        }
      };
    },
  };
}

/** Whether the error is about an option that the form has set, rather than the message. */
function isAboutForm(type: string, fields: FormFields, msg: NodeMessageInFlow, error: unknown): boolean {
  if (codeOf(error) !== 'M2FP_BAD_OPTION') return false;
  const name = /^Option "(\w+)"/.exec((error as Error).message)?.[1] ?? '';
  return Object.hasOwn(fields, name) && isOption(fields[name]!) && !isInMessage(type, msg, name);
}

/** An option of the same name may be in the message for another node: what an answer is about, or how a crop is made. */
function isInMessage(type: string, msg: NodeMessageInFlow, name: string): boolean {
  try {
    const given: unknown = msg['m2fp'];
    if (!isRecord(given)) return false;
    return [given, given[type.replace(/^m2fp-/, '')]].some(
      (own) => isRecord(own) && Object.hasOwn(own, name),
    );
  } catch {
    // A getter or a Proxy of a function node.
    return true;
  }
}
