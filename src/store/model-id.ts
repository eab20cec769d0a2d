/** What may be the name of a published model: also checked by the form in the browser, so nothing of a system is needed. */

/** Letters, digits, `.`, `_`, `-`; no dot or dash in front, no dot at the end: a file name on every system. */
const NAME = /^[A-Za-z0-9_](?:[A-Za-z0-9._-]{0,126}[A-Za-z0-9_-])?$/;
/** Names that Windows keeps for devices, with any extension. */
const DEVICE = /^(?:con|prn|aux|nul|com[\d¹²³]|lpt[\d¹²³])(?:\.|$)/i;

/** True for what can be a folder everywhere, such as a revision. */
export function isFolderName(name: string): boolean {
  return NAME.test(name) && !name.includes('..') && !DEVICE.test(name);
}

/** The owner, in the store, of models that were made of what lies on this machine. */
export const LOCAL_OWNER = 'local';

/** Letters of any script in place of the Latin ones. */
const LOCAL_NAME = /^[\p{L}\p{N}_](?:[\p{L}\p{M}\p{N}._-]{0,126}[\p{L}\p{M}\p{N}_-])?$/u;

/** True for what can be the name of a model of this machine: a folder everywhere, also one called 模型. */
export function isLocalName(name: string): boolean {
  return LOCAL_NAME.test(name) && !name.includes('..') && !DEVICE.test(name);
}

/** True for `owner/name`. */
export function isModelId(id: string): boolean {
  const [owner = '', name = '', ...more] = id.split('/');
  if (more.length > 0 || !isFolderName(owner)) return false;
  return owner === LOCAL_OWNER ? isLocalName(name) : isFolderName(name);
}
