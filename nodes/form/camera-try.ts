/** The button of a camera's form that takes one picture with what is entered, before anything is deployed. */
import type { TriedCamera } from '../m2fp-camera/admin.ts';
import { prefixOf } from './dialog.ts';
import type { Dollar, EditorNode, EditorRed, Elements } from './editor.ts';
import { nodeText, type Values } from './texts.ts';

/** What the answer says of the picture; where there is none, what is wrong. */
interface Failure {
  message?: string;
}

/** Fills the element `container` with the button, and with what came of it. */
export function createCameraTry(RED: EditorRed, $: Dollar, node: EditorNode, container: string): void {
  const text = (key: string, values?: Values): string => nodeText(RED, 'm2fp-camera', `try.${key}`, values);
  const said = $('<span role="status" aria-live="polite" class="m2fp-hint">');
  const picture = $('<img style="display: none; max-width: 100%; max-height: 240px; margin-top: 6px">');
  picture.attr('alt', text('alt'));
  const button = $('<button type="button" class="red-ui-button red-ui-button-small">').append(
    $('<i class="fa fa-camera" aria-hidden="true">'),
    $('<span>').text(` ${text('button')}`),
  );
  const say = (words: string, isProblem = false): void => {
    said.text(words).toggleClass('m2fp-about-error', isProblem);
    button.prop('disabled', false);
  };
  button.on('click', () => {
    button.prop('disabled', true);
    picture.toggle(false);
    said.text(text('waiting')).toggleClass('m2fp-about-error', false);
    $.ajax({
      url: 'm2fp/cameras/try',
      type: 'POST',
      contentType: 'application/json',
      data: JSON.stringify(valuesOf($, node)),
    })
      .done((answer) => {
        const { image, width, height, bytes, time, ffmpeg } = answer as TriedCamera;
        picture.attr('src', image).toggle(true);
        const values = { width, height, kB: Math.ceil(bytes / 1024), time: (time / 1000).toFixed(1) };
        say(ffmpeg === null ? text('done', values) : text('doneFfmpeg', { ...values, version: ffmpeg }));
      })
      .fail(({ status, responseJSON }) => {
        const { message } = (responseJSON ?? {}) as Failure;
        say(status === 401 || status === 403 ? text('forbidden') : (message ?? text('failed')), true);
      });
  });
  $(container)
    .addClass('form-row')
    .css('padding-left', '105px')
    .append(button, said, $('<div>').append(picture));
}

/** What stands in the form, as it would be deployed. */
function valuesOf($: Dollar, node: EditorNode): object {
  const valueOf = (name: string): string | boolean | undefined => {
    const field: Elements = $(`#${prefixOf(node)}${name}`);
    return field.attr('type') === 'checkbox' ? field.prop('checked') === true : field.val();
  };
  const all = (names: string[]): object =>
    Object.fromEntries(names.map((name) => [name, valueOf(name)]).filter(([, value]) => value !== undefined));
  const { defaults, credentials = {} } = node._def;
  return { id: node.id, ...all(Object.keys(defaults)), credentials: all(Object.keys(credentials)) };
}
