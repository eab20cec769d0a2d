/** What the fields of forms mean. A blank field leaves the choice to the default. */

/**
 * What a node stores, and of what it does not, `defaults`: those of its form. A node that was made by an API or written by
 * hand may lack any field.
 */
export function withDefaults<D extends object, S extends { readonly [Name in keyof D]?: unknown }>(
  defaults: D,
  stored: S,
): S & D {
  const given = Object.entries(stored).filter(([, value]) => value !== undefined && value !== null);
  return { ...stored, ...defaults, ...Object.fromEntries(given) };
}

/** A number field: undefined where it is blank, NaN where it is no number. */
export function numberField(field: unknown): number | undefined {
  return field === undefined || field === null || field === '' ? undefined : Number(field);
}

/** A text field: undefined where it is blank. */
export function textField<T extends string>(field: T | ''): T | undefined {
  return field === '' ? undefined : field;
}

/** A list of label names, separated by commas: undefined, all, where it is blank, and no name where it is `none`. */
export function labelsField(field: string): string[] | undefined {
  if (field.trim() === 'none') return [];
  const labels = field
    .split(',')
    .map((label) => label.trim())
    .filter((label) => label !== '');
  return labels.length === 0 ? undefined : labels;
}
