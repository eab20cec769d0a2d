/** Addresses as Express compares them: without regard to capitals, nor to a slash at the end. */

/** The path of an address in the form in which addresses are compared. */
export const plain = (path: string): string => path.toLowerCase().replace(/(.)\/$/, '$1');

/** A text for a regular expression that stands for itself. */
export const escaped = (text: string): string => text.replace(/[\\^$.*+?()[\]{}|/-]/g, '\\$&');

/** The addresses that a path of Express stands for, as a regular expression without its ends. */
export function patternOf(url: string): string {
  return plain(url)
    .split(/(:\w+|\*)/)
    .map((piece) => (piece === '*' ? '.*' : /^:\w+$/.test(piece) ? '[^/]+' : escaped(piece)))
    .join('');
}
