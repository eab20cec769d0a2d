/** Texts of a catalogue, known again where they come with their values in them. */

/** A text as it may be met. */
export interface Pattern {
  key: string;
  text: RegExp;
  /** Of the values, in the order in which they stand in the text. */
  names: string[];
}

const PLACEHOLDER = /__(\w+?)__/g;

/**
 * @param texts by their names
 * @param group what stands before a name in its key
 * @param value the pattern of a value, without groups
 */
export function patternsOf(texts: Readonly<Record<string, string>>, group: string, value: string): Pattern[] {
  return Object.entries(texts).map(([name, text]) => ({
    key: `${group}.${name}`,
    text: patternOf(text, value),
    names: [...text.matchAll(PLACEHOLDER)].map((match) => match[1]!),
  }));
}

function patternOf(text: string, value: string): RegExp {
  const literals = text
    .replaceAll(PLACEHOLDER, '\0')
    .split('\0')
    .map((words) => words.replace(/[.*+?^${}()|[\]\\]/g, '\\$&'));
  return new RegExp(`^${literals.join(`(${value})`)}$`, 's');
}

/** The first pattern that `text` is one of, with its values; undefined where there is none. */
export function matching(
  patterns: readonly Pattern[],
  text: string,
): { key: string; values: Record<string, string> } | undefined {
  for (const pattern of patterns) {
    const found = pattern.text.exec(text);
    if (found === null) continue;
    const values = Object.fromEntries(pattern.names.map((name, index) => [name, found[index + 1]!]));
    return { key: pattern.key, values };
  }
  return undefined;
}
