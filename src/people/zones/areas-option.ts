/** Zones and lines as an option of a form and of messages. */
import { custom, type Option } from '../../parsing/options/option-table.ts';
import { type Area, readAreas } from './areas.ts';

/** A field of a form that a zone editor fills with JSON; a message may give a list. Blank: no areas. */
export function areasOption(): Option<Area[], string | Area[], string> {
  return custom(readAreas, { input: 'list', check: ['areas'] });
}
