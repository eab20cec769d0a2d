/** Names of files as text. A name is bytes, of which not all are text; and a text may break lines. */

const BYTE = (byte: number): string => `%${byte.toString(16).toUpperCase().padStart(2, '0')}`;

/**
 * The path as text of one line: what is no UTF-8, and control characters, as %XX, and % as %25 where it would look like one
 * of these. No two paths are one text.
 */
export function fileText(path: Buffer): string {
  const text = path.toString('utf8');
  const isText = Buffer.from(text).equals(path);
  const escaped = (isText ? text : path.toString('latin1')).replaceAll(/%(?=[0-9A-F]{2})/g, '%25');
  const control = escaped.replaceAll(/\p{Cc}/gu, (character) => BYTE(character.codePointAt(0)!));
  return isText
    ? control
    : control.replaceAll(/[\u0080-\u00FF]/g, (character) => BYTE(character.codePointAt(0)!));
}
