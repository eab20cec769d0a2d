/** What the html of the nodes uses of this script: `M2FP.form`. */
import { createAboutModel } from './about-model.ts';
import { createCameraTry } from './camera-try.ts';
import type { Dollar, EditorNode, EditorRed } from './editor.ts';
import { prepareDialog } from './dialog.ts';
import { fetchLabels, type LabelsAnswer } from './label-sets.ts';
import { createPaletteEditor, type PaletteEditorOptions } from './palette-editor.ts';
import { createPartToggles, type PartToggles, type PartTogglesOptions } from './part-toggles.ts';
import { modelLabel, prepareModel } from './model-form.ts';
import { createEntry, type Entry } from './palette-entry.ts';
import { nodeText, type Values } from './texts.ts';
import { createValidators, type Validators } from './validators.ts';
import { createZoneEditor, type ZoneEditorOptions } from './zone-editor.ts';

export interface Form {
  /** The text `key` of the node `type`, in the editor's language. */
  text(type: string, key: string, values?: Values): string;

  /** The checks for the fields of the node `type`. */
  validators(type: string): Validators;

  /** What the definitions of all nodes but the config node have in common. */
  entry(type: string): Entry;

  /**
   * To be called by oneditprepare:
   * - fields of what an older flow does not have get the defaults;
   * - fields with `data-types`, such as `result`, become TypedInputs, with the type in a hidden field such as
   *   `resultType` where there is one;
   * - a row with `data-when="mode=overlay|both format!=png"` shows only while all its conditions hold; a checkbox
   *   is `true` or `false`;
   * - a `<details class="m2fp-section">` with an invalid field in it opens.
   */
  prepare(node: EditorNode): void;

  /** To be called by oneditprepare of the config node, after {@link prepare}. */
  prepareModel(node: EditorNode): void;

  /** What the config node is called. */
  modelLabel(node: EditorNode): string;

  /**
   * Fills the element `container` with checkboxes for the labels. The field of the property holds the chosen
   * names, with commas between; blank is all parts of any model, `none` none.
   */
  partToggles(container: string, options: PartTogglesOptions): PartToggles;

  /** Fills the element `container` with a swatch for each label that part toggles show, and keeps the field in step. */
  paletteEditor(container: string, options: PaletteEditorOptions): void;

  /** Fills the element `container` with an editor for zones and lines on a picture, see `zone-editor.ts`. */
  zoneEditor(node: EditorNode, container: string, options: ZoneEditorOptions): void;

  /** Fills the element `container` of a camera's form with a button that takes one picture. */
  cameraTry(node: EditorNode, container: string): void;

  /**
   * Fills the element `container` of the config node's form: what the model is, which memory and time to expect, and
   * a button that tries what is deployed.
   */
  aboutModel(node: EditorNode, container: string): void;

  /** The label sets and models that Node-RED knows; empty where it does not answer. */
  labelSets(): Promise<LabelsAnswer>;
}

export function createForm(RED: EditorRed, $: Dollar): Form {
  return {
    text: (type, key, values) => nodeText(RED, type, key, values),
    validators: (type) => createValidators(RED, $, type),
    entry: (type) => createEntry($, type),
    prepare: (node) => prepareDialog($, node),
    prepareModel: (node) => prepareModel($, node),
    modelLabel: (node) => modelLabel(RED, node),
    partToggles: (container, options) => createPartToggles(RED, $, container, options),
    paletteEditor: (container, options) => createPaletteEditor(RED, $, container, options),
    zoneEditor: (node, container, options) => createZoneEditor(RED, $, node, container, options),
    cameraTry: (node, container) => createCameraTry(RED, $, node, container),
    aboutModel: (node, container) => createAboutModel(RED, $, node, container),
    labelSets: () => fetchLabels($),
  };
}
