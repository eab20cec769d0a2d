/** How far a long piece of work is, for the eyes of whoever started it. */

const WIDTH = 30;
/** Without a terminal, a line for each of these steps, in percent. */
const STEP = 10;

/**
 * Returns the function to be told the share done, 0 to 1. A terminal gets a bar that grows in place; a log gets a
 * line every {@link STEP} percent.
 */
export function progressBar(label: string, stream: NodeJS.WriteStream): (share: number) => void {
  let shown = -1;
  return (share) => {
    const percent = Math.floor(share * 100);
    const due = stream.isTTY ? percent : percent - (percent % STEP);
    if (due <= shown) return;
    shown = due;
    if (!stream.isTTY) {
      stream.write(`${label}: ${due} %\n`);
      return;
    }
    const full = Math.round((WIDTH * percent) / 100);
    const bar = '█'.repeat(full) + '░'.repeat(WIDTH - full);
    stream.write(`\r${label} ${bar} ${percent} %${percent === 100 ? '\n' : ''}`);
  };
}
