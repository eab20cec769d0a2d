/** The process that `int8Speed` forks: measures once and ends. */
import { doOneJob } from '../store/one-job-child.ts';
import { runSpeed } from './speed-run.ts';

// At low priority a busy machine would not come to it.
doOneJob('m2fp-int8-speed', runSpeed, true);
