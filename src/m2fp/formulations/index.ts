import type { Operators } from '../manifest.ts';
import { FAST } from './fast.ts';
import { PORTABLE } from './portable.ts';
import type { Formulation } from './types.ts';

/** By what users call them. */
export const FORMULATIONS: Record<Operators, Formulation> = { 'deform-conv': FAST, 'grid-sample': PORTABLE };
