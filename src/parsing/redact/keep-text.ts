/** Who is kept, as a text: "1, track 7, track 7 of yard, zone Entrance, zone "Door, left"". */

/** What the text lists, by kind. */
export interface KeepEntries {
  ids: number[];
  tracks: (number | { track: number; topic: string })[];
  zones: string[];
}

/** In quotes anything, with each quote in it twice; else up to the next comma. */
const NAME = String.raw`(?:"([^"]*(?:""[^"]*)*)"|([^",\s][^,]*))`;
/** One entry, or none, with the comma behind it. */
const ENTRY = new RegExp(
  String.raw`\s*(?:zone\s+${NAME}|track\s+(\d+)(?:\s+of\s+${NAME})?|(?:id\s+)?(\d+))?\s*(?:,|$)`,
  'iy',
);

/** @returns undefined for what is no such text; a blank one and `none` list nobody */
export function keepEntries(text: string): KeepEntries | undefined {
  const entries: KeepEntries = { ids: [], tracks: [], zones: [] };
  if (text.trim() === 'none') return entries;
  for (let at = 0; at < text.length; at = ENTRY.lastIndex) {
    ENTRY.lastIndex = at;
    const found = ENTRY.exec(text);
    if (found === null) return undefined;
    const [, quotedZone, plainZone, track, quotedTopic, plainTopic, id] = found;
    const zone = nameOf(quotedZone, plainZone);
    const topic = nameOf(quotedTopic, plainTopic);
    if (zone !== undefined) entries.zones.push(zone);
    else if (topic !== undefined) entries.tracks.push({ track: Number(track), topic });
    else if (track !== undefined) entries.tracks.push(Number(track));
    else if (id !== undefined) entries.ids.push(Number(id));
  }
  return entries;
}

function nameOf(quoted: string | undefined, plain: string | undefined): string | undefined {
  return quoted === undefined ? plain?.trimEnd() : quoted.replaceAll('""', '"');
}
