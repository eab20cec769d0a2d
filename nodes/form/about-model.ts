/** The block "About this model" in the form of the config node: what it is, what it will take, and whether it works. */
import type { Ask, DeployedFacts, Failure, FormDescription, Int8Here, Int8Speed } from './about-answers.ts';
import { askVia } from './about-ask.ts';
import { ModelCheck } from './about-check.ts';
import { AboutForm } from './about-form.ts';
import { type AboutText, aboutRows } from './about-rows.ts';
import { ModelDownload } from './download.ts';
import type { Dollar, EditorNode, EditorRed, Elements } from './editor.ts';
import { saysIn } from './says.ts';
import { labelName, sharedText } from './texts.ts';

/** Milliseconds that the form rests before it is asked about. */
const REST = 400;
/** Milliseconds between looks at a model that is downloaded for a node. */
const LOOK = 1000;
/** What asking about the form, trying and downloading need where users log in; see nodes/m2fp-model/admin.ts. */
const PERMISSION = 'm2fp-model.write';

/** Fills `container`, and keeps it in step with the form. */
export function createAboutModel(RED: EditorRed, $: Dollar, node: EditorNode, container: string): void {
  const about = new AboutModel(RED, $, node, $(container));
  about.open();
}

class AboutModel {
  readonly #$: Dollar;
  readonly #form: AboutForm;
  readonly #container: Elements;
  readonly #text: AboutText;
  readonly #ask: Ask;
  readonly #labelName: (label: string) => string;
  readonly #licenceOf: (source: string) => string;
  readonly #rows: Elements;
  readonly #problem: Elements;
  readonly #note: Elements;
  readonly #check: ModelCheck;
  readonly #download: ModelDownload;
  #description: FormDescription | undefined;
  /** Who lacks {@link PERMISSION} may not ask what the form means. */
  #isForbidden = false;
  #deployed: DeployedFacts | Failure | undefined;
  #timer: ReturnType<typeof setTimeout> | undefined;
  /** The number of the last question about the form: answers to older ones come too late. */
  #asked = 0;
  /** Known for as long as the form is open. */
  #int8Here: Int8Here | undefined;
  #looking: ReturnType<typeof setTimeout> | undefined;

  constructor(RED: EditorRed, $: Dollar, node: EditorNode, container: Elements) {
    this.#$ = $;
    this.#form = new AboutForm($, node);
    this.#container = container;
    this.#text = (key, values) => sharedText(RED, `about.${key}`, values);
    const says = saysIn(RED);
    this.#ask = askVia($, this.#text, says);
    this.#labelName = (label) => labelName(RED, label);
    this.#licenceOf = (source) =>
      sharedText(RED, `licence.${source}`, {
        url: `https://modelscope.cn/models/${String(this.#form.field('modelId').val())}`,
      });

    container.empty().addClass('m2fp-about').attr('role', 'group').attr('aria-label', this.#text('title'));
    this.#rows = $('<dl>').appendTo(container);
    this.#problem = $('<div class="m2fp-about-error" role="alert">').appendTo(container);
    this.#note = $('<div class="m2fp-quiet">').appendTo(container);
    const shared = { text: this.#text, ask: this.#ask, isOpen: () => this.#isOpen };
    this.#download = new ModelDownload($, container, {
      ...shared,
      says,
      form: () => this.#form.json,
      onEnd: () => {
        void this.#describe();
        void this.#look();
      },
    });
    this.#check = new ModelCheck($, container, {
      ...shared,
      id: node.id,
      look: () => this.#look(),
      onMeasured: (speed) => (this.#int8Here = { speed }),
    });
  }

  open(): void {
    void this.#look();
    void this.#describe();
    let { wanted } = this.#form;
    this.#form.onChange(() => {
      clearTimeout(this.#timer);
      this.#timer = setTimeout(() => void this.#describe(), REST);
      // The buttons would act on what the form said before.
      this.#asked++;
      this.#container.find('button').prop('disabled', true);
      // Nor does what the box says of one model stand for another, until the answer has come.
      if (this.#form.wanted === wanted) return;
      ({ wanted } = this.#form);
      this.#clear();
    });
  }

  get #isOpen(): boolean {
    return this.#container.closest('body').length > 0;
  }

  /** Forgets what was said of what the form wanted before. */
  #clear(): void {
    this.#description = undefined;
    this.#problem.text('');
    this.#download.forget();
    this.#draw();
  }

  /** Asks what the form's values mean. Who lacks the permission sees what is deployed, as long as the form names that. */
  async #describe(): Promise<void> {
    if (!this.#isOpen) return;
    const asked = ++this.#asked;
    const { mistake } = this.#form;
    if (mistake !== undefined) {
      this.#description = undefined;
      this.#problem.text(mistake);
      return this.#draw();
    }
    const { status, answer, problem } = await this.#ask('POST', 'models/estimate', this.#form.json);
    if (asked !== this.#asked) return;
    this.#isForbidden = status === 401 || status === 403;
    this.#description = answer as FormDescription | undefined;
    if (!this.#isForbidden) this.#problem.text(problem ?? this.#refusal);
    this.#check.toggle(!this.#isForbidden);
    this.#draw();
    if (this.#wantsInt8 && this.#int8Here === undefined) await this.#measureInt8();
  }

  /** Why no int8 model can be made of the one in the form's folder. */
  get #refusal(): string {
    return this.#description?.notMakable === 'operators' ? this.#text('notMakable.operators') : '';
  }

  /** Whether the form names an int8 model that would run on this machine. */
  get #wantsInt8(): boolean {
    const { precision, workers, notMakable } = this.#description ?? {};
    return precision === 'int8' && workers === undefined && notMakable !== 'operators';
  }

  /** Asks what int8 brings on this machine: Node-RED measures that once, within some seconds. */
  async #measureInt8(): Promise<void> {
    this.#int8Here = 'measuring';
    this.#draw();
    const { answer, problem = '' } = await this.#ask('POST', 'int8-speed');
    this.#int8Here = answer === undefined ? { problem } : { speed: answer as Int8Speed };
    // The estimate follows from it.
    await this.#describe();
  }

  /** Asks what is deployed. */
  async #look(): Promise<void> {
    const answered = await this.#ask('GET', `models/${this.#form.id}`);
    const { answer, status, problem = '', choice = null } = answered;
    const facts = answer as DeployedFacts | undefined;
    this.#deployed = facts ?? (status === 404 ? undefined : { message: problem, choice });
    this.#draw();
    if (facts?.state !== 'pulling' || this.#check.isRunning) return;
    clearTimeout(this.#looking);
    this.#looking = setTimeout(() => {
      if (this.#isOpen) void this.#lookOn();
    }, LOOK);
  }

  /** At a model that a node waits for: when it has come, the form means one that is there. */
  async #lookOn(): Promise<void> {
    await this.#look();
    if (this.#running?.state !== 'pulling') await this.#describe();
  }

  /** What is deployed and tells of itself. */
  get #running(): DeployedFacts | undefined {
    return this.#deployed && 'message' in this.#deployed ? undefined : this.#deployed;
  }

  #draw(): void {
    this.#drawButtons();
    const $ = this.#$;
    // Before the form is known to mean it, nothing that is deployed is shown in its name.
    const isUnchanged = this.#isForbidden && this.#form.isUnchanged;
    const deployed = this.#description || isUnchanged ? this.#deployed : undefined;
    this.#drawNote(isUnchanged);
    const int8Here = this.#wantsInt8 ? this.#int8Here : undefined;
    const rows = aboutRows(this.#description, deployed, this.#text, this.#labelName, int8Here);
    if (rows.length > 0)
      rows.push({ key: 'licence', text: this.#licenceOf(String(this.#form.field('source').val())) });
    this.#rows.empty();
    for (const { key, text, whole } of rows) {
      $('<dt>')
        .text(this.#text(`row.${key}`))
        .appendTo(this.#rows);
      $('<dd>')
        .text(text)
        .attr('title', whole ?? '')
        .appendTo(this.#rows);
    }
  }

  #drawButtons(): void {
    const isSame = this.#deployed !== undefined && this.#deployed.choice === this.#description?.choice;
    const facts = isSame ? this.#running : undefined;
    this.#check.update(isSame, facts?.state);
    this.#download.update(this.#description, facts?.state === 'pulling' ? facts.progress : null);
  }

  /**
   * That looking, trying and downloading need a permission; of a choice that is not deployed nothing else can be said. Of a
   * model in a folder that is int8 already: that none is made of it.
   */
  #drawNote(isUnchanged: boolean): void {
    const permission = { permission: PERMISSION };
    const isInt8 = this.#description?.notMakable === 'int8';
    if (isUnchanged) this.#note.text(this.#text('needsPermission', permission));
    else this.#note.text(isInt8 ? this.#text('notMakable.int8') : '');
    if (this.#isForbidden)
      this.#problem.text(isUnchanged ? '' : this.#text('lookNeedsPermission', permission));
  }
}
