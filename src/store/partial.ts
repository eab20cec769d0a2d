/** How the names of the folders begin in which the process `pid` makes the model `out`, beside it. */
export function partialPrefix(out: string, pid: number): string {
  return `${out}.partial-${pid}-`;
}
