/** The labels that the part toggles offer: of the models in the flow, and of the label sets that are known. */
import type { Dollar, EditorNode, EditorRed } from './editor.ts';

/** The answer of `GET m2fp/labels`. */
export interface LabelsAnswer {
  sets: LabelSource[];
  /** The deployed models; `parts` is null where the model is not there to tell. */
  models: { id: string; name: string; parts: Part[] | null }[];
}

export interface LabelSource {
  id: string;
  name: string;
  parts: Part[];
}

export interface Part {
  name: string;
  /** "#rrggbb" */
  color: string;
  /** One of the groups of models/labels; `whole` for the background and the whole person, `other` where none is known. */
  group: string;
}

const NOTHING: LabelsAnswer = { sets: [], models: [] };

/** Asks Node-RED. Without an answer (no permission, a lost connection) there are no labels to offer. */
export function fetchLabels($: Dollar): Promise<LabelsAnswer> {
  return new Promise((resolve) => {
    $.ajax({ url: 'm2fp/labels', type: 'GET' })
      .done((answer) => resolve(answer as LabelsAnswer))
      .fail(() => resolve(NOTHING));
  });
}

/** What to choose from: first the models of the flow, by the names that they have in the editor, then the sets. */
export function sourcesOf(RED: EditorRed, { sets, models }: LabelsAnswer): LabelSource[] {
  const ofModels = configNodes(RED).flatMap((node) => {
    const parts = models.find(({ id }) => id === node.id)?.parts;
    return parts ? [{ id: node.id, name: RED.utils.getNodeLabel(node, node.id), parts }] : [];
  });
  return [...ofModels, ...sets];
}

/** The id of the labels to show first: those of the flow's first model. */
export function firstSource(RED: EditorRed, sources: readonly LabelSource[]): string {
  const [model] = configNodes(RED);
  if (sources.some(({ id }) => id === model?.id)) return model!.id;
  // Not deployed, or not downloaded. ModelScope's single-human model has LIP's labels, the others CIHP's.
  const id = model?.source === 'modelscope' && typeof model.modelId === 'string' ? model.modelId : '';
  return id.includes('single-human') ? 'lip' : 'cihp';
}

function configNodes(RED: EditorRed): EditorNode[] {
  const found: EditorNode[] = [];
  RED.nodes.eachConfig((node) => {
    if (node.type === 'm2fp-model') found.push(node);
    return true;
  });
  return found;
}
