/** What every form does when it opens. */
import type { Dollar, EditorNode, Elements } from './editor.ts';
import { holds, readConditions } from './when.ts';

/** The beginning of the ids of a form's fields. */
export function prefixOf(node: EditorNode): string {
  return node._def.category === 'config' ? 'node-config-input-' : 'node-input-';
}

/** See `prepare` of {@link Form}. */
export function prepareDialog($: Dollar, node: EditorNode): void {
  const prefix = prefixOf(node);
  const field = (name: string): Elements => $(`#${prefix}${name}`);
  fillIn(node, field);
  const form = field('name').closest('form');
  form.find('[data-types]').each(function () {
    const input = $(this);
    const types = input.attr('data-types')!.split(' ');
    const typeField = `#${input.attr('id')}Type`;
    // The widget hides the field and puts one of its own there, of the width in the field's style.
    input
      .css('width', '70%')
      .typedInput({ default: types[0]!, types, ...($(typeField).length > 0 && { typeField }) });
  });
  showRows($, form, field);
  // Node-RED marks what is invalid when this function has returned.
  setTimeout(() => {
    labelTypedInputs($, form);
    form.find('details.m2fp-section').has('.input-error').attr('open', 'open');
  }, 0);
}

/** Gives the fields that TypedInputs put in the place of ours the labels of ours. */
function labelTypedInputs($: Dollar, form: Elements): void {
  form
    .find('.form-row')
    .has('.red-ui-typedInput-input')
    .each(function () {
      const label = $(this).find('label[for]');
      const id = `${label.attr('for')}-label`;
      // Without the icon, which is a letter of a font.
      label.find('span').attr('id', id);
      $(this).find('.red-ui-typedInput-input').attr('aria-labelledby', id);
    });
}

/** Gives the defaults to the fields of what an older flow does not have. */
function fillIn(node: EditorNode, field: (name: string) => Elements): void {
  for (const [name, { value, type }] of Object.entries(node._def.defaults)) {
    if (node[name] !== undefined || type !== undefined) continue;
    const element = field(name);
    if (element.attr('type') === 'checkbox') element.prop('checked', value === true);
    else element.val(String(value));
  }
}

/** Shows the rows with `data-when` while their conditions hold. */
function showRows($: Dollar, form: Elements, field: (name: string) => Elements): void {
  const valueOf = (name: string): string => {
    const element = field(name);
    return String(element.attr('type') === 'checkbox' ? element.prop('checked') : element.val());
  };
  form.find('[data-when]').each(function () {
    const row = $(this);
    const conditions = readConditions(row.attr('data-when') ?? '');
    const update = (): void => {
      row.toggle(holds(conditions, valueOf));
    };
    for (const condition of conditions) field(condition.field).on('change', update);
    update();
  });
}
