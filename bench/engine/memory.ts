/** Resident memory of an engine's process and of the process that it belongs to, over pictures of mixed sizes. */
import { script } from '../script.ts';
import type { MemoryReading } from './memory-child.ts';

interface Growth {
  loadedMB: number;
  /** After half of the pictures, and after all. */
  halfMB: number;
  endMB: number;
  /** Over the second half; the first one sizes the memory arenas. */
  growthPer100MB: number;
}

export interface MemoryResult {
  pictures: number;
  engine: Growth;
  parent: Growth;
}

/** In a process of its own, whose memory nothing else has used. */
export async function benchMemory(model: string, pictures: number): Promise<MemoryResult> {
  const readings = JSON.parse(await script('engine/memory-child.ts', model, String(pictures))) as [
    MemoryReading,
    MemoryReading,
    MemoryReading,
  ];
  const growth = (of: keyof MemoryReading): Growth => {
    const [loadedMB, halfMB, endMB] = readings.map((reading) => reading[of] / 1e6) as [
      number,
      number,
      number,
    ];
    return { loadedMB, halfMB, endMB, growthPer100MB: ((endMB - halfMB) / (pictures / 2)) * 100 };
  };
  return { pictures, engine: growth('engine'), parent: growth('parent') };
}
