/** `data-when`: rows that show only while other fields have certain values. */

interface Condition {
  field: string;
  /** Any of them, or none of them where `isNot`. */
  values: string[];
  isNot: boolean;
}

/** Reads "mode=overlay|both format!=png": conditions with blanks between, all of which must hold. */
export function readConditions(text: string): Condition[] {
  return text
    .split(/\s+/)
    .filter((part) => part !== '')
    .map((part) => {
      const [, field, not, values] = /^(\w+)(!?)=(.*)$/.exec(part) ?? [];
      if (field === undefined || values === undefined) throw new Error(`data-when: "${part}"`);
      return { field, values: values.split('|'), isNot: not === '!' };
    });
}

/** Whether all conditions hold; `valueOf` gives a field's value, "true" or "false" of a checkbox. */
export function holds(conditions: readonly Condition[], valueOf: (field: string) => string): boolean {
  return conditions.every(({ field, values, isNot }) => values.includes(valueOf(field)) !== isNot);
}
