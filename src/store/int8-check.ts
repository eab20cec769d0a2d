/** Whether a manifest's entry on int8 is one. */
import { isCount } from '../checkpoint/tensors.ts';
import type { Int8Origin } from '../m2fp/int8-origin.ts';
import { isRecord } from '../parsing/options/options.ts';

/** Whether `value`, out of a manifest, is one. */
export function isInt8Origin(value: unknown): value is Int8Origin {
  if (!isRecord(value)) return false;
  const { parts, calibration, weightBits, correctedBias, pictures, drawn, from, report } = value;
  return (
    Array.isArray(parts) &&
    parts.every((part) => typeof part === 'string') &&
    typeof calibration === 'string' &&
    typeof weightBits === 'number' &&
    typeof correctedBias === 'boolean' &&
    isCount(pictures) &&
    (drawn === undefined || drawn === true) &&
    isRecord(from) &&
    typeof from['digest'] === 'string' &&
    typeof from['precision'] === 'string' &&
    (report === undefined || isReport(report))
  );
}

function isReport(value: unknown): boolean {
  if (!isRecord(value)) return false;
  const { agreement, seconds, processorSeconds, machine } = value;
  return (
    isRecord(agreement) &&
    isCount(agreement['pictures']) &&
    ['pixels', 'medianPixels', 'leastPixels', 'foreground'].every((name) => isShare(agreement[name])) &&
    ['persons', 'parts'].every((name) => isMatchFigures(agreement[name])) &&
    areSeconds(seconds) &&
    (processorSeconds === undefined || areSeconds(processorSeconds)) &&
    isRecord(machine) &&
    ['string', 'object'].includes(typeof machine['processor']) &&
    ['instructions', 'provider'].every((name) => typeof machine[name] === 'string') &&
    isCount(machine['threads'])
  );
}

const areSeconds = (value: unknown): boolean =>
  isRecord(value) && ['float', 'int8'].every((name) => typeof value[name] === 'number' && value[name] >= 0);

const isMatchFigures = (value: unknown): boolean =>
  isRecord(value) &&
  ['reference', 'other', 'matched'].every((name) => isCount(value[name])) &&
  ['iou', 'meanScoreDifference', 'greatestScoreDifference'].every((name) => isShare(value[name]));

const isShare = (value: unknown): boolean =>
  value === null || (typeof value === 'number' && value >= 0 && value <= 1);
