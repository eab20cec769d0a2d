/** The motion gate on scenes that stand still and on busy ones: what it costs, saves and misses. */
import { MotionGate } from '../../src/camera/index.ts';
import { FIELDS } from '../../nodes/m2fp-camera/config.ts';
import { quantile } from '../statistics.ts';

export interface MotionResult {
  name: string;
  frames: number;
  /** Frames that went out. */
  sent: number;
  /** Visits of people (coming into the picture to leaving it), and how many of them no frame shows that went out. */
  visits: number;
  missed: number;
  /** Frames from somebody's coming to the first one with him that went out, at most. */
  latest: number;
  /** Milliseconds a frame. */
  cost: { p50: number; p95: number };
  /** Processor milliseconds a frame, of all threads. */
  processor: number;
}

/** Share of the picture from which somebody counts as there: less is a shoe at the edge. */
const THERE = 0.002;

export async function benchMotion(
  name: string,
  frames: readonly { image: Buffer; people: { id: number; area: number }[] }[],
  pixels: number,
): Promise<MotionResult> {
  const gate = new MotionGate({
    share: Number(FIELDS.motionShare.form.value) / 100,
    threshold: Number(FIELDS.motionThreshold.form.value),
    ignored: [],
  });
  // The first one compiles, and loads sharp.
  await gate.hasMoved(frames[0]!.image);
  const times: number[] = [];
  const isSent: boolean[] = [];
  const began = process.cpuUsage();
  for (const { image } of frames) {
    const at = performance.now();
    const moved = await gate.hasMoved(image);
    if (moved) await gate.pass(image);
    times.push(performance.now() - at);
    isSent.push(moved);
  }
  const { user, system } = process.cpuUsage(began);
  const visits = visitsOf(frames.map(({ people }) => people.filter(({ area }) => area >= pixels * THERE)));
  const delays = visits.map(({ from, to }) => isSent.slice(from, to + 1).indexOf(true));
  return {
    name,
    frames: frames.length,
    sent: isSent.filter(Boolean).length,
    visits: visits.length,
    missed: delays.filter((delay) => delay < 0).length,
    latest: Math.max(0, ...delays),
    cost: { p50: quantile(times, 0.5), p95: quantile(times, 0.95) },
    processor: (user + system) / 1000 / frames.length,
  };
}

function visitsOf(people: { id: number }[][]): { from: number; to: number }[] {
  const ids = new Set(people.flat().map(({ id }) => id));
  return [...ids].flatMap((id) => {
    const visits: { from: number; to: number }[] = [];
    people.forEach((there, frame) => {
      if (!there.some((person) => person.id === id)) return;
      const last = visits.at(-1);
      if (last?.to === frame - 1) last.to = frame;
      else visits.push({ from: frame, to: frame });
    });
    return visits;
  });
}
