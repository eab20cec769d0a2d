/** The form of the config node: its checks, and what it does beside what all forms do. */
import { isFolderName, isModelId } from '../../src/store/model-id.ts';
import type { Dollar, EditorNode, EditorRed, Validator } from './editor.ts';
import { nodeText } from './texts.ts';

const TYPE = 'm2fp-model';
const PREFIX = '#node-config-input-';

/** The fields of each source of models; those of others are hidden, and not checked. */
const FIELDS = {
  bundled: [],
  folder: ['folder'],
  modelscope: ['modelId', 'revision', 'baseUrl'],
  remote: ['redis', 'queue'],
} as const;
type Source = keyof typeof FIELDS;
type SourceField = (typeof FIELDS)[Source][number];

/** What each of them may be; the text `invalid.<field>` says so. A message for another fault comes as its key. */
const RIGHT: Readonly<Record<SourceField, (entered: string) => boolean | string>> = {
  folder: (folder) => folder !== '',
  modelId: (id) => isVariable(id) || isModelId(id),
  revision: (revision) => revision === '' || isVariable(revision) || isFolderName(revision),
  baseUrl: (url) => url === '' || /^https?:\/\/[^?#\s]+$|\$\{/.test(url),
  // What stands where a name and password would, a variable may hold.
  redis: (url) =>
    /\/\/.*@/.test(url) ? 'secret' : /^rediss?:\/\/[^\s/?#]+(?:\/\d*)?$|^(?:rediss?:\/\/)?\S*\$\{/.test(url),
  queue: (queue) => /^[\w.-]{0,64}$|\$\{/.test(queue),
};

/** The check of a field that belongs to one source. */
export function ofSource(RED: EditorRed, $: Dollar, name: string): Validator {
  const source = Object.entries(FIELDS).find(([, names]) => (names as readonly string[]).includes(name))![0];
  return function (value, opt) {
    // Of the dialog, where one is open.
    const chosen = $(`${PREFIX}source`).val() ?? (this as EditorNode)['source'];
    const verdict =
      chosen !== source || RIGHT[name as SourceField](typeof value === 'string' ? value.trim() : '');
    if (verdict === true) return true;
    return opt ? nodeText(RED, TYPE, `invalid.${verdict || name}`) : false;
  };
}

/** Node-RED itself replaces a value that is one environment variable. */
function isVariable(value: string): boolean {
  return /^\$\{[^}]+\}$/.test(value);
}

/** What the node is called that has no name. */
export function modelLabel(RED: EditorRed, node: EditorNode): string {
  const { name, source, folder, modelId, redis, queue } = node as EditorNode & Record<string, string>;
  if (name) return name;
  if (source === 'remote') {
    const host = /^\w+:\/\/(?:.*@)?([^/]+)/.exec(redis ?? '')?.[1] ?? redis;
    return `${queue || 'm2fp'} @ ${host}`;
  }
  if (source === 'modelscope') return modelId!;
  return source === 'folder' ? folder! : nodeText(RED, TYPE, 'source.bundled');
}

/** Shows the fields of the chosen source, and the page of the chosen model. */
export function prepareModel($: Dollar, node: EditorNode): void {
  const source = $(`${PREFIX}source`);
  const modelId = $(`${PREFIX}modelId`);
  source
    .on('change', () => {
      if (source.val() === 'modelscope' && !modelId.val())
        modelId.val(String(node._def.defaults['modelId']!.value));
      for (const [name, fields] of Object.entries(FIELDS)) {
        $(`#node-config-row-${name}`).toggle(name === source.val());
        for (const field of fields) $(PREFIX + field).trigger('change');
      }
    })
    .trigger('change');
  const link = $('#node-config-link-modelscope');
  modelId
    .on('change keyup', () => {
      const id = (modelId.val() ?? '').trim();
      link.attr('href', `https://modelscope.cn/models/${isModelId(id) ? id : ''}`);
    })
    .trigger('change');
  $('#node-config-use-modelscope').on('click', () => {
    source.val('modelscope').trigger('change');
  });
}
