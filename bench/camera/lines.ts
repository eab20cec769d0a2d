/** The result for people to read. */
import type { CameraBench } from './index.ts';
import type { LoadResult } from './load.ts';
import type { MotionResult } from './motion.ts';
import type { StageResult } from './stages.ts';

const percent = (share: number): string => `${(share * 100).toFixed(0)} %`;
const whole = (value: number | null): string => (value === null ? '?' : value.toFixed(0));

export function lines({ cores, load, loads, motion, stages, parseMs }: CameraBench): string[] {
  return [
    `${cores} cores, load ${load.before.toFixed(1)} before and ${load.after.toFixed(1)} after; one parsing ${whole(parseMs)} ms`,
    'motion gate:',
    ...motion.map((result) => motionLine(result, parseMs)),
    'what follows the model, 1920 x 1080:',
    ...stages.map(stageLine),
    'cameras on one engine:',
    ...loads.map(loadLine),
  ];
}

function motionLine(result: MotionResult, parseMs: number): string {
  const { name, frames, sent, visits, missed, latest, cost, processor } = result;
  const saved = 1 - (sent * parseMs + frames * cost.p50) / (frames * parseMs);
  return (
    `  ${name}: ${sent} of ${frames} frames went out, ${missed} of ${visits} visits missed, seen after at most ${latest} frames; ` +
    `${cost.p50.toFixed(1)} ms a frame (p95 ${cost.p95.toFixed(1)}), ${processor.toFixed(1)} ms of processors; ` +
    `${percent(saved)} of the time saved`
  );
}

function stageLine({ name, persons, busy, allowed, total, longest }: StageResult): string {
  return (
    `  ${name}, ${persons} people: ${busy.toFixed(1)} ms of the event loop's processor (${busy <= allowed ? 'within' : 'beyond'} ` +
    `${allowed}), at most ${longest.toFixed(1)} ms in one go; ${total.toFixed(1)} ms from call to result`
  );
}

function loadLine(result: LoadResult): string {
  const {
    cameras,
    rate,
    pace,
    resultsPerSecond,
    skippedShare,
    droppedShare,
    age,
    loop,
    memory,
    descriptors,
  } = result;
  const stages = Object.entries(result.stages).map(([name, ms]) => `; ${name} ${ms.toFixed(1)} ms`);
  return (
    `  ${cameras} x ${rate} frames/s, ${pace === 'flow' ? 'as the model takes them' : 'at a fixed rate'}: ` +
    `${resultsPerSecond.toFixed(1)} results/s, age p50 ${whole(age.p50)} p95 ${whole(age.p95)} max ${whole(age.max)} ms, ` +
    `${percent(skippedShare)} skipped, ${percent(droppedShare)} dropped; loop p99 ${loop.p99.toFixed(0)} max ${loop.max.toFixed(0)} ms; ` +
    `${whole(memory.ownMB[0])} -> ${whole(memory.ownMB[1])} MB, engine ${whole(memory.engineMB[0])} -> ${whole(memory.engineMB[1])} MB` +
    `${descriptors === null ? '' : `; ${descriptors[0]} -> ${descriptors[1]} descriptors`}${stages.join('')}`
  );
}
