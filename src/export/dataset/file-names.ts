/** Names of files that come from messages and pictures: they stay in their folder, and every system takes them. */

const LONGEST = 100;

/** What Windows keeps for devices. */
const DEVICE = /^(?:con|prn|aux|nul|com\d|lpt\d)$/i;

/** Endings that name a picture's format, which the data set may change. */
const ENDING = /\.(?:jpe?g|png|webp|gif|tiff?|avif|bmp|heic)$/i;

/**
 * The name, without folders and ending, that `text` gives a picture: of "/photos/../a b.jpg" "a b". Nothing of it leads out of
 * a folder.
 * @returns `fallback` where nothing is left
 */
export function stemOf(text: string, fallback = 'image'): string {
  const last = text.split(/[/\\]+/).findLast((part) => part !== '') ?? '';
  return cleaned(last.replace(ENDING, ''), fallback);
}

/** The same of a topic, whose levels all count: of "camera/front" "camera-front". */
export function stemOfTopic(topic: string, fallback = 'image'): string {
  return cleaned(topic.replaceAll(/[/\\]+/g, '-'), fallback);
}

function cleaned(text: string, fallback: string): string {
  const name = text
    .normalize('NFC')
    // Blanks, too: lists of names have one a line, and some readers split them.
    .replaceAll(/[^\p{L}\p{N}._-]+/gu, '_')
    .replaceAll(/^[._-]+|[._-]+$/g, '');
  const short = Array.from(name).slice(0, LONGEST).join('');
  if (short === '') return fallback;
  return DEVICE.test(short.split('.')[0]!) ? `_${short}` : short;
}

/** Gives each name once. Names that differ in upper and lower case alone are one file on some systems. */
export class UniqueNames {
  readonly #taken = new Set<string>();
  /** The next number for a name that is taken, by the name. */
  readonly #next = new Map<string, number>();

  take(name: string): string {
    let free = name;
    for (let n = this.#next.get(key(name)) ?? 2; this.#taken.has(key(free)); n++) {
      free = `${name}-${n}`;
      this.#next.set(key(name), n + 1);
    }
    this.#taken.add(key(free));
    return free;
  }

  /** Marks a name that was given before. */
  add(name: string): void {
    this.#taken.add(key(name));
  }
}

function key(name: string): string {
  return name.toLowerCase();
}
