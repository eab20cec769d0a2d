/** The questions of the block "About this model" to Node-RED. */
import type { Ask, Failure } from './about-answers.ts';
import type { AboutText } from './about-rows.ts';
import type { Dollar } from './editor.ts';
import type { Says } from './says.ts';

/** Answers a question with what came, or with what is wrong, in the user's language. */
export function askVia($: Dollar, text: AboutText, says: Says): Ask {
  return (type, path, data) =>
    new Promise((resolve) => {
      $.ajax({
        url: `m2fp/${path}`,
        type,
        // Node-RED takes nothing else, also where there is nothing to send.
        ...(type === 'POST' && { contentType: 'application/json' }),
        ...(data !== undefined && { data }),
      })
        .done((answer) => resolve({ status: 200, answer }))
        .fail(({ status, responseJSON }) => {
          const { message, code, choice } = (responseJSON ?? {}) as Partial<Failure>;
          const problem = message === undefined ? text('noAnswer', { status }) : says(message, code);
          resolve({ status, problem, ...(choice !== undefined && { choice }) });
        });
    });
}
