/** What may be the name of a published model: also checked by the form in the browser, so nothing of a system is needed. */

/** Letters, digits, `.`, `_`, `-`; no dot or dash in front, no dot at the end: a file name on every system. */
const NAME = /^[A-Za-z0-9_](?:[A-Za-z0-9._-]{0,126}[A-Za-z0-9_-])?$/;
/** Names that Windows keeps for devices, with any extension. */
const DEVICE = /^(?:con|prn|aux|nul|com\d|lpt\d)(?:\.|$)/i;

/** True for what can be a folder everywhere, such as a revision. */
export function isFolderName(name: string): boolean {
  return NAME.test(name) && !name.includes('..') && !DEVICE.test(name);
}

/** True for `owner/name`. */
export function isModelId(id: string): boolean {
  const parts = id.split('/');
  return parts.length === 2 && parts.every(isFolderName);
}
