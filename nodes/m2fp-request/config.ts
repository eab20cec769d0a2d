/** The form of the node, as it is stored in flows. */
import { anyText, whole } from '../../src/parsing/options/option-table.ts';
import type { Config } from '../common/form-fields.ts';

/** Megabytes; more than the largest picture that any model takes. */
const LARGEST_BODY = 1024;

export const REQUEST_SETTINGS = {
  /** What a client may set, beside the options of the answer: it costs no more than a second look. */
  allowed: anyText('scoreThreshold, flip'),
  /** Megabytes of a body. */
  maxBody: whole(1, LARGEST_BODY, 32),
  /** Requests of one client at the same time; blank = any number. */
  concurrent: whole(1, 10_000, null),
  /** Requests of one client in a minute; blank = any number. */
  perMinute: whole(1, 100_000, null),
  /** Proxies of one's own between the clients and Node-RED. */
  proxies: whole(0, 10, 0),
};

export const FIELDS = REQUEST_SETTINGS;

/** What the editor keeps apart from the flow. */
export interface RequestCredentials {
  /** API keys with blanks or commas between them; blank: everybody may ask. */
  keys?: string;
}

export type RequestConfig = Config<typeof FIELDS>;
