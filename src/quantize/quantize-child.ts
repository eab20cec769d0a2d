/** The process that `quantizeInProcess` forks: makes one model int8 and ends. */
import { doOneJob } from '../store/one-job-child.ts';
import { quantizeInto } from './quantize.ts';

doOneJob('m2fp-quantize', quantizeInto);
