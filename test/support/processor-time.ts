/**
 * Where a test has to tell milliseconds from seconds: the time that this process worked, as what else runs on the machine
 * is not ours.
 */

/** Starts to count; the function returned gives the milliseconds of processor time since then. */
export function processorTime(): () => number {
  const begun = process.cpuUsage();
  return () => {
    const { user, system } = process.cpuUsage(begun);
    return (user + system) / 1000;
  };
}
