/** The zones that a track node's state tells of: in which each person stands, and which there are. */
import { isRecord } from '../options/options.ts';
import type { Parsing, Person } from '../types.ts';
import { type GivenKeep, readKeep } from './keep.ts';

type ZonedPerson = Person & { zones?: unknown };

/** Names of zones that warnings tell of: messages may bring any number of them. */
const MAX_TOLD = 100;

/**
 * The parsing whose persons have the zones that a track node's state tells of them, where they have none of their own; the
 * parsing itself where there is none.
 * @param message whose payload may be such a state, or anything
 */
export function withZones(parsing: Parsing, message: { payload?: unknown }): Parsing {
  const state = stateIn(message);
  if (state === undefined) return parsing;
  const { zonesOf } = state;
  const zoned = (person: ZonedPerson): ZonedPerson =>
    person.zones === undefined && zonesOf.has(person.id)
      ? { ...person, zones: zonesOf.get(person.id) }
      : person;
  // What has lost its doubtful is refused, and must not get others here.
  const doubtful = parsing.doubtful && { ...parsing.doubtful, persons: parsing.doubtful.persons.map(zoned) };
  return { ...parsing, persons: parsing.persons.map(zoned), doubtful };
}

interface ZonesInState {
  names: string[];
  /** By the id of the person. */
  zonesOf: Map<unknown, unknown>;
}

/** Undefined for what is no state, or cannot be read: nobody stands in a zone then. */
function stateIn(message: { payload?: unknown }): ZonesInState | undefined {
  try {
    const { payload: state } = message;
    if (!isRecord(state) || !isRecord(state['zones']) || !Array.isArray(state['persons'])) return undefined;
    const zonesOf = state['persons'].flatMap((person: unknown) =>
      isRecord(person) ? [[person['id'], person['zones']] as const] : [],
    );
    return { names: Object.keys(state['zones']), zonesOf: new Map(zonesOf) };
  } catch {
    return undefined;
  }
}

/** Tells whoever keeps a zone that there is none of this name, but one that is written much like it. */
export class MisspeltZones {
  readonly #told = new Set<string>();

  /**
   * @param message with a track node's state in its payload, or anything
   * @param keep the option `keep`, as given
   * @returns warnings for the log, each name's once
   * @throws {M2fpError} `M2FP_BAD_OPTION`
   */
  warningsOf(message: { payload?: unknown }, keep: GivenKeep | undefined): string[] {
    const zones = readKeep('keep', keep)?.zones ?? new Set<string>();
    const names = zones.size === 0 ? [] : (stateIn(message)?.names ?? []);
    return [...zones].flatMap((zone) => {
      if (names.includes(zone) || this.#told.has(zone) || this.#told.size >= MAX_TOLD) return [];
      const alike = names.find((name) => looseKey(name) === looseKey(zone));
      if (alike === undefined) return [];
      this.#told.add(zone);
      return [
        `Nobody is kept by zone ${JSON.stringify(zone)}: the track node has ${JSON.stringify(alike)}, and names of zones are ` +
          'compared letter by letter, with capital letters and spaces.',
      ];
    });
  }
}

/** What names that somebody may take for the same have in common. */
function looseKey(name: string): string {
  return name.normalize('NFKC').toLowerCase().replace(/\s+/g, ' ').trim();
}
