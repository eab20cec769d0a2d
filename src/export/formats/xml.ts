/** What XML cannot hold as it is. */

const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
};

/** A text of one line or an attribute's value; control characters, which XML forbids, are left out. */
export function escapeXml(text: string): string {
  return text.replace(/[\p{Cc}\ufffe\uffff]/gu, '').replace(/[&<>"]/g, (found) => ENTITIES[found]!);
}
