/** The process that `convertInProcess` forks: converts one checkpoint and ends. */
import { convertInto } from './convert.ts';
import { doOneJob } from './one-job-child.ts';

doOneJob('m2fp-convert', convertInto);
