/** What a server asks of a client that has not logged in: `WWW-Authenticate`, RFC 9110, section 11.6.1. */

/** One way to log in. */
export interface Challenge {
  /** In small letters: `basic`, `digest`. */
  scheme: string;
  /** By their names in small letters. */
  parameters: Readonly<Record<string, string>>;
}

const TOKEN = "[!#$%&'*+.^_`|~\\w-]+";
const PARAMETER = new RegExp(`^(${TOKEN})\\s*=\\s*(?:"((?:[^"\\\\]|\\\\.)*)"|(${TOKEN}))`);
const SCHEME = new RegExp(`^(${TOKEN})(?:\\s+|\\s*,|$)`);
/** What some schemes have in place of parameters. */
const TOKEN68 = /^[\w.~+/-]+=*(?=\s*(?:,|$))/;

/** Characters of a header that are read. */
const MAX_LENGTH = 8192;

/** The challenges in a header, of which one line may hold several. What cannot be read ends the list. */
export function readChallenges(header: string): Challenge[] {
  const found: { scheme: string; parameters: Record<string, string> }[] = [];
  let rest = header.slice(0, MAX_LENGTH);
  for (;;) {
    rest = rest.replace(/^[\s,]+/, '');
    const parameter = PARAMETER.exec(rest);
    const current = found.at(-1);
    if (parameter && current) {
      const [all, name, quoted, plain] = parameter;
      current.parameters[name!.toLowerCase()] = quoted?.replace(/\\(.)/g, '$1') ?? plain!;
      rest = rest.slice(all.length);
      continue;
    }
    const scheme = SCHEME.exec(rest);
    if (scheme === null) return found;
    found.push({ scheme: scheme[1]!.toLowerCase(), parameters: {} });
    rest = rest.slice(scheme[1]!.length).trimStart();
    if (!PARAMETER.test(rest)) rest = rest.replace(TOKEN68, '');
  }
}
