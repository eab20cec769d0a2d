/** Reports are pasted into public issues: no user names and no home paths in them. */
import { homedir, userInfo } from 'node:os';
import { sep } from 'node:path';

/** Whose names are taken out; for tests. */
export interface Person {
  home: string;
  name: string;
}

/** The user of this process; containers may have one without a name. */
export function thisPerson(): Person {
  let name = '';
  try {
    name = userInfo().username;
  } catch {
    // A numeric user that no system file knows.
  }
  return { home: homedir(), name };
}

/** Where systems keep home folders, with the name behind it. */
const HOMES = /(?:\/home\/|\/Users\/|\b[A-Za-z]:\\Users\\)[^/\\\s"']+/g;

/** `text` with home folders as `~`, and other folders of the user's name as `USER`. */
export function withoutNames(text: string, { home, name }: Person = thisPerson()): string {
  // A service may have the root folder as its home.
  const shortened = home.length > 1 ? replacePath(text, home.endsWith(sep) ? home.slice(0, -1) : home) : text;
  const homeless = shortened.replaceAll(HOMES, '~');
  if (name === '') return homeless;
  const pattern = new RegExp(`(?<=[/\\\\])${escape(name)}(?=[/\\\\]|$)`, 'g');
  return homeless.replaceAll(pattern, 'USER');
}

function replacePath(text: string, folder: string): string {
  return text.replaceAll(new RegExp(`${escape(folder)}(?![\\w.-])`, 'g'), '~');
}

// RegExp.escape is younger than Node 22.
const escape = (text: string) => text.replaceAll(/[$()*+.?[\\\]^{|}]/g, '\\$&');

/** All texts in a plain value, treated by {@link withoutNames}. */
export function anonymous<T>(value: T, person: Person = thisPerson()): T {
  if (typeof value === 'string') return withoutNames(value, person) as T;
  if (Array.isArray(value)) return value.map((item: unknown) => anonymous(item, person)) as T;
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value).map(([key, item]) => [key, anonymous<unknown>(item, person)]);
  return Object.fromEntries(entries) as T;
}
