/** The process that `convertInProcess` forks: converts one checkpoint and ends. */
import { convertCheckpoint } from './convert.ts';
import { doOneJob } from './one-job-child.ts';

doOneJob('m2fp-convert', convertCheckpoint);
