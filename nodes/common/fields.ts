/** What the fields of forms mean. A blank field leaves the choice to the default. */

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
