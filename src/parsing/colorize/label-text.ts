/** A label as people write it: "UpperClothes" and "upper-clothes" are "Upper clothes", "Left-arm" is "Left arm". */
export function readableLabel(label: string): string {
  return label
    .replace(/(\p{Ll})(\p{Lu})/gu, '$1 $2')
    .replace(/(?<=\p{L})[-_]+(?=\p{L})/gu, ' ')
    .replace(/ (\p{Lu})(?=\p{Ll})/gu, (_match, first: string) => ` ${first.toLowerCase()}`)
    .replace(/^\p{Ll}/u, (first) => first.toUpperCase());
}
