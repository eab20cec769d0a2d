/** The block "About this model" in the form of the config node: what it is, what it will take, and whether it works. */
import type {
  Ask,
  CheckResult,
  DeployedFacts,
  Failure,
  FormDescription,
  Int8Here,
  Int8Speed,
} from './about-answers.ts';
import { type AboutText, aboutRows, int8SpeedText } from './about-rows.ts';
import { bytesText, secondsText } from './amounts.ts';
import { prefixOf } from './dialog.ts';
import { ModelDownload } from './download.ts';
import type { Dollar, EditorNode, EditorRed, Elements } from './editor.ts';
import { labelName, sharedText } from './texts.ts';

/** Milliseconds that the form rests before it is asked about. */
const REST = 400;
/** Milliseconds between looks at a model that is being checked, or downloaded for a node. */
const LOOK = 1000;
/** What asking about the form, trying and downloading need where users log in; see nodes/m2fp-model/admin.ts. */
const PERMISSION = 'm2fp-model.write';
/** The fields by which the form names another model. */
const CHOICE = ['source', 'folder', 'modelId', 'revision', 'precision', 'baseUrl', 'redis', 'queue'];

/** Fills `container`, and keeps it in step with the form. */
export function createAboutModel(RED: EditorRed, $: Dollar, node: EditorNode, container: string): void {
  const about = new AboutModel(RED, $, node, $(container));
  about.open();
}

class AboutModel {
  readonly #$: Dollar;
  readonly #node: EditorNode;
  readonly #container: Elements;
  readonly #text: AboutText;
  readonly #labelName: (label: string) => string;
  readonly #licenceOf: (source: string) => string;
  readonly #rows: Elements;
  readonly #problem: Elements;
  readonly #note: Elements;
  readonly #button: Elements;
  readonly #result: Elements;
  readonly #download: ModelDownload;
  #description: FormDescription | undefined;
  /** Who lacks {@link PERMISSION} may not ask what the form means. */
  #isForbidden = false;
  /** What tells one model from another, as the form opened. */
  #opened = '';
  #deployed: DeployedFacts | Failure | undefined;
  #timer: ReturnType<typeof setTimeout> | undefined;
  /** The number of the last question about the form: answers to older ones come too late. */
  #asked = 0;
  /** All the values of the form, as they were last seen. */
  #entered = '';
  #isChecking = false;
  /** Known for as long as the form is open. */
  #int8Here: Int8Here | undefined;
  #looking: ReturnType<typeof setTimeout> | undefined;

  constructor(RED: EditorRed, $: Dollar, node: EditorNode, container: Elements) {
    this.#$ = $;
    this.#node = node;
    this.#container = container;
    this.#text = (key, values) => sharedText(RED, `about.${key}`, values);
    this.#labelName = (label) => labelName(RED, label);
    this.#licenceOf = (source) =>
      sharedText(RED, `licence.${source}`, {
        url: `https://modelscope.cn/models/${String(this.#field('modelId').val())}`,
      });

    container.empty().addClass('m2fp-about').attr('role', 'group').attr('aria-label', this.#text('title'));
    this.#rows = $('<dl>').appendTo(container);
    this.#problem = $('<div class="m2fp-about-error" role="alert">').appendTo(container);
    this.#note = $('<div class="m2fp-quiet">').appendTo(container);
    this.#download = new ModelDownload($, container, {
      text: this.#text,
      ask: this.#request,
      form: () => this.#form(),
      isOpen: () => this.#isOpen,
      onEnd: () => {
        void this.#ask();
        void this.#look();
      },
    });
    this.#button = $('<button type="button" class="red-ui-button">')
      .text(this.#text('check'))
      .prop('disabled', true)
      .on('click', () => void this.#check())
      .appendTo(container);
    this.#result = $('<div aria-live="polite">').appendTo(container);
  }

  open(): void {
    void this.#look();
    void this.#ask();
    this.#entered = this.#form();
    this.#opened = this.#choice;
    let choice = this.#opened;
    for (const name of [...this.#properties, ...this.#credentials]) {
      this.#field(name).on('change input', () => {
        const form = this.#form();
        // A field that is left tells of its change once more, also when a button below is pressed.
        if (form === this.#entered) return;
        this.#entered = form;
        clearTimeout(this.#timer);
        this.#timer = setTimeout(() => void this.#ask(), REST);
        // The buttons would act on what the form said before.
        this.#asked++;
        this.#container.find('button').prop('disabled', true);
        // Nor does what the box says of one model stand for another, until the answer has come.
        if (this.#choice === choice) return;
        choice = this.#choice;
        this.#clear();
      });
    }
  }

  #field(name: string): Elements {
    return this.#$(`#${prefixOf(this.#node)}${name}`);
  }

  get #isOpen(): boolean {
    return this.#container.closest('body').length > 0;
  }

  /** Forgets what was said of another choice. */
  #clear(): void {
    this.#description = undefined;
    this.#problem.text('');
    this.#draw();
  }

  /** Whether the form names what is deployed, as far as that shows without asking. */
  get #isUnchanged(): boolean {
    return this.#node['changed'] !== true && this.#choice === this.#opened;
  }

  get #choice(): string {
    return JSON.stringify(this.#valuesOf(CHOICE));
  }

  /** Asks what the form's values mean. Who lacks the permission sees what is deployed, as long as the form names that. */
  async #ask(): Promise<void> {
    if (!this.#isOpen) return;
    const asked = ++this.#asked;
    const values = this.#valuesOf(this.#properties);
    const mistake = this.#mistakeIn(values);
    if (mistake !== undefined) {
      this.#description = undefined;
      this.#problem.text(mistake);
      return this.#draw();
    }
    const { status, answer, problem } = await this.#request('POST', 'models/estimate', this.#form());
    if (asked !== this.#asked) return;
    this.#isForbidden = status === 401 || status === 403;
    this.#description = answer as FormDescription | undefined;
    if (!this.#isForbidden) this.#problem.text(problem ?? '');
    this.#button.toggle(!this.#isForbidden);
    this.#draw();
    if (this.#wantsInt8 && this.#int8Here === undefined) await this.#measureInt8();
  }

  /** Whether the form names an int8 model that would run on this machine. */
  get #wantsInt8(): boolean {
    return this.#description?.precision === 'int8' && this.#description.workers === undefined;
  }

  /** Asks what int8 brings on this machine: Node-RED measures that once, within some seconds. */
  async #measureInt8(): Promise<void> {
    this.#int8Here = 'measuring';
    this.#draw();
    const { answer, problem = '' } = await this.#request('POST', 'int8-speed');
    this.#int8Here = answer === undefined ? { problem } : { speed: answer as Int8Speed };
    // The estimate follows from it.
    await this.#ask();
  }

  /** All its values, as JSON. */
  #form(): string {
    const values = this.#valuesOf(this.#properties);
    const credentials = this.#valuesOf(this.#credentials);
    return JSON.stringify({ ...values, credentials, id: this.#node.id });
  }

  get #properties(): string[] {
    return Object.keys(this.#node._def.defaults);
  }

  get #credentials(): string[] {
    return Object.keys(this.#node._def.credentials ?? {});
  }

  /** Of the fields that the form has. */
  #valuesOf(names: readonly string[]): Record<string, unknown> {
    const values = names.flatMap((name) => {
      const field = this.#field(name);
      if (field.length === 0) return [];
      return [[name, field.attr('type') === 'checkbox' ? field.prop('checked') : field.val()] as const];
    });
    return Object.fromEntries(values);
  }

  /** What the form itself says of the first field that is wrong: nobody else has to be asked then. */
  #mistakeIn(values: Readonly<Record<string, unknown>>): string | undefined {
    for (const [name, value] of Object.entries(values)) {
      const verdict = this.#node._def.defaults[name]?.validate?.call(this.#node, value, {});
      if (typeof verdict === 'string') return verdict;
    }
    return undefined;
  }

  /** Asks what is deployed. */
  async #look(): Promise<void> {
    const {
      answer,
      status,
      problem = '',
      choice = null,
    } = await this.#request('GET', `models/${this.#node.id}`);
    const facts = answer as DeployedFacts | undefined;
    this.#deployed = facts ?? (status === 404 ? undefined : { message: problem, choice });
    this.#draw();
    if (facts?.state !== 'pulling' || this.#isChecking) return;
    clearTimeout(this.#looking);
    this.#looking = setTimeout(() => {
      if (this.#isOpen) void this.#lookOn();
    }, LOOK);
  }

  /** At a model that a node waits for: when it has come, the form means one that is there. */
  async #lookOn(): Promise<void> {
    await this.#look();
    if (this.#running?.state !== 'pulling') await this.#ask();
  }

  async #check(): Promise<void> {
    this.#isChecking = true;
    this.#button.prop('disabled', true);
    this.#result.toggleClass('m2fp-about-error', false).text(this.#text('checking'));
    // A published model may be downloaded first, which takes a while.
    const looking = setInterval(() => {
      if (this.#isOpen) void this.#look();
    }, LOOK);
    const { answer, problem } = await this.#request('POST', `models/${this.#node.id}/check`);
    clearInterval(looking);
    this.#isChecking = false;
    const { int8 = null } = (answer ?? {}) as Partial<CheckResult>;
    if (int8 !== null) this.#int8Here = { speed: int8 };
    this.#result
      .toggleClass('m2fp-about-error', answer === undefined)
      .text(answer === undefined ? (problem ?? '') : this.#resultText(answer as CheckResult));
    await this.#look();
  }

  #resultText({
    load,
    seconds,
    memory,
    provider,
    threads,
    persons,
    parts,
    width,
    height,
    int8,
  }: CheckResult): string {
    const text = this.#text;
    return [
      load === null ? text('wasLoaded') : text('loadedIn', { seconds: secondsText(load) }),
      text('sample', { width, height, seconds: secondsText(seconds), threads, provider }),
      persons === null ? text('foundParts', { parts }) : text('found', { persons, parts }),
      ...(memory === null ? [] : [text('memoryTaken', { memory: bytesText(memory) })]),
      ...(int8 === null ? [] : [`int8: ${int8SpeedText(int8, text)}`]),
    ].join(' · ');
  }

  /** What is deployed and tells of itself. */
  get #running(): DeployedFacts | undefined {
    return this.#deployed && 'message' in this.#deployed ? undefined : this.#deployed;
  }

  /** What is deployed is what the button tries: it does nothing for another choice, which was not saved yet. */
  #drawButton(): void {
    const isSame = this.#deployed !== undefined && this.#deployed.choice === this.#description?.choice;
    const facts = isSame ? this.#running : undefined;
    this.#button
      .prop('disabled', this.#isChecking || !isSame)
      .text(this.#text(facts?.state === 'not pulled' ? 'downloadAndCheck' : 'check'));
    // Nor does what it said of another one stay.
    if (!isSame && !this.#isChecking) this.#result.text('');
    this.#download.update(this.#description, facts?.state === 'pulling' ? facts.progress : null);
  }

  #draw(): void {
    this.#drawButton();
    const $ = this.#$;
    // Before the form is known to mean it, nothing that is deployed is shown in its name.
    const isUnchanged = this.#isForbidden && this.#isUnchanged;
    const deployed = this.#description || isUnchanged ? this.#deployed : undefined;
    this.#drawPermission(isUnchanged);
    const int8Here = this.#wantsInt8 ? this.#int8Here : undefined;
    const rows = aboutRows(this.#description, deployed, this.#text, this.#labelName, int8Here);
    if (rows.length > 0)
      rows.push({ key: 'licence', text: this.#licenceOf(String(this.#field('source').val())) });
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

  /** That looking, trying and downloading need a permission; of a choice that is not deployed nothing else can be said. */
  #drawPermission(isUnchanged: boolean): void {
    const permission = { permission: PERMISSION };
    this.#note.text(isUnchanged ? this.#text('needsPermission', permission) : '');
    if (this.#isForbidden)
      this.#problem.text(isUnchanged ? '' : this.#text('lookNeedsPermission', permission));
  }

  readonly #request: Ask = (type, path, data) =>
    new Promise((resolve) => {
      this.#$
        .ajax({
          url: `m2fp/${path}`,
          type,
          // Node-RED takes nothing else, also where there is nothing to send.
          ...(type === 'POST' && { contentType: 'application/json' }),
          ...(data !== undefined && { data }),
        })
        .done((answer) => resolve({ status: 200, answer }))
        .fail(({ status, responseJSON }) => {
          const { message, choice } = (responseJSON ?? {}) as Partial<Failure>;
          const problem = message ?? this.#text('noAnswer', { status });
          resolve({ status, problem, ...(choice !== undefined && { choice }) });
        });
    });
}
