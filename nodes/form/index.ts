/**
 * The script that the html of every node loads. Node-RED runs it once for each of them and before the rest of that
 * html, so the first one makes the global and the others leave it as it is.
 */
import type { Dollar, EditorRed } from './editor.ts';
import { createForm, type Form } from './form.ts';
import { type StatusEditor, translateStatuses } from './statuses.ts';
import { STYLE } from './style.ts';

const page = globalThis as unknown as { RED: EditorRed & StatusEditor; $: Dollar; M2FP?: { form: Form } };

if (page.M2FP === undefined) {
  translateStatuses(page.RED);
  page.M2FP = { form: createForm(page.RED, page.$) };
  page.$('<style id="m2fp-form-style">').text(STYLE).appendTo('head');
}
