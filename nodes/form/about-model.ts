/** The block "About this model" in the form of the config node: what it is, what it will take, and whether it works. */
import type { CheckResult, DeployedFacts, Failure, Prospect } from './about-answers.ts';
import { type AboutText, aboutRows } from './about-rows.ts';
import { bytesText, secondsText } from './amounts.ts';
import { prefixOf } from './dialog.ts';
import type { Dollar, EditorNode, EditorRed, Elements } from './editor.ts';
import { sharedText } from './texts.ts';

/** Milliseconds that the form rests before it is asked about. */
const REST = 400;
/** Milliseconds between looks at a model that is being checked, and maybe downloaded. */
const LOOK = 1000;

/** Fills `container`, and keeps it in step with the form. */
export function createAboutModel(RED: EditorRed, $: Dollar, node: EditorNode, container: string): void {
  const about = new AboutModel(RED, $, node, $(container));
  about.open();
}

interface Answer {
  status: number;
  /** Of a success. */
  answer?: unknown;
  /** Of a failure. */
  problem?: string;
}

class AboutModel {
  readonly #$: Dollar;
  readonly #node: EditorNode;
  readonly #container: Elements;
  readonly #text: AboutText;
  readonly #licenceOf: (source: string) => string;
  readonly #rows: Elements;
  readonly #problem: Elements;
  readonly #button: Elements;
  readonly #result: Elements;
  #prospect: Prospect | undefined;
  #deployed: DeployedFacts | Failure | undefined;
  #timer: ReturnType<typeof setTimeout> | undefined;
  /** The number of the last question about the form: answers to older ones come too late. */
  #asked = 0;
  #isChecking = false;

  constructor(RED: EditorRed, $: Dollar, node: EditorNode, container: Elements) {
    this.#$ = $;
    this.#node = node;
    this.#container = container;
    this.#text = (key, values) => sharedText(RED, `about.${key}`, values);
    this.#licenceOf = (source) =>
      sharedText(RED, `licence.${source}`, {
        url: `https://modelscope.cn/models/${String(this.#field('modelId').val())}`,
      });

    container.empty().addClass('m2fp-about').attr('role', 'group').attr('aria-label', this.#text('title'));
    this.#rows = $('<dl>').appendTo(container);
    this.#problem = $('<div class="m2fp-about-error" role="alert">').appendTo(container);
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
    for (const name of [...this.#properties, ...this.#credentials]) {
      this.#field(name).on('change input', () => {
        clearTimeout(this.#timer);
        this.#timer = setTimeout(() => void this.#ask(), REST);
      });
    }
  }

  #field(name: string): Elements {
    return this.#$(`#${prefixOf(this.#node)}${name}`);
  }

  get #isOpen(): boolean {
    return this.#container.closest('body').length > 0;
  }

  /** Asks what the form's values mean. Who may not change flows may not ask that, and sees what is deployed. */
  async #ask(): Promise<void> {
    if (!this.#isOpen) return;
    const asked = ++this.#asked;
    const values = this.#valuesOf(this.#properties);
    const mistake = this.#mistakeIn(values);
    if (mistake !== undefined) {
      this.#prospect = undefined;
      this.#problem.text(mistake);
      return this.#draw();
    }
    const credentials = this.#valuesOf(this.#credentials);
    const form = JSON.stringify({ ...values, credentials, id: this.#node.id });
    const { status, answer, problem } = await this.#request('POST', 'estimate', form);
    if (asked !== this.#asked) return;
    const isForbidden = status === 401 || status === 403;
    this.#prospect = answer as Prospect | undefined;
    this.#problem.text(isForbidden ? '' : (problem ?? ''));
    this.#button.toggle(!isForbidden);
    this.#draw();
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
    const { answer, status, problem = '' } = await this.#request('GET', this.#node.id);
    const facts = answer as DeployedFacts | undefined;
    this.#deployed = facts ?? (status === 404 ? undefined : { message: problem });
    this.#draw();
  }

  async #check(): Promise<void> {
    this.#isChecking = true;
    this.#button.prop('disabled', true);
    this.#result.toggleClass('m2fp-about-error', false).text(this.#text('checking'));
    // A published model may be downloaded first, which takes a while.
    const looking = setInterval(() => {
      if (this.#isOpen) void this.#look();
    }, LOOK);
    const { answer, problem } = await this.#request('POST', `${this.#node.id}/check`);
    clearInterval(looking);
    this.#isChecking = false;
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
  }: CheckResult): string {
    const text = this.#text;
    return [
      load === null ? text('wasLoaded') : text('loadedIn', { seconds: secondsText(load) }),
      text('sample', { width, height, seconds: secondsText(seconds), threads, provider }),
      persons === null ? text('foundParts', { parts }) : text('found', { persons, parts }),
      ...(memory === null ? [] : [text('memoryTaken', { memory: bytesText(memory) })]),
    ].join(' · ');
  }

  /** What is deployed is what the button tries: it does nothing for another choice, which was not saved yet. */
  #drawButton(): void {
    const facts = this.#deployed && 'message' in this.#deployed ? undefined : this.#deployed;
    const isOther = facts !== undefined && this.#prospect !== undefined && this.#prospect.id !== facts.id;
    this.#button
      .prop('disabled', this.#isChecking || this.#deployed === undefined || isOther)
      .text(this.#text(facts?.state === 'not pulled' && !isOther ? 'downloadAndCheck' : 'check'));
    // Nor does what it said of the other one stay.
    if (isOther && !this.#isChecking) this.#result.text('');
  }

  #draw(): void {
    this.#drawButton();
    const $ = this.#$;
    const rows = aboutRows(this.#prospect, this.#deployed, this.#text);
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

  #request(type: string, path: string, data?: string): Promise<Answer> {
    return new Promise((resolve) => {
      const url = `m2fp/models/${path}`;
      this.#$
        .ajax({
          url,
          type,
          // Node-RED takes nothing else, also where there is nothing to send.
          ...(type === 'POST' && { contentType: 'application/json' }),
          ...(data !== undefined && { data }),
        })
        .done((answer) => resolve({ status: 200, answer }))
        .fail(({ status, responseJSON }) => {
          const { message } = (responseJSON ?? {}) as Partial<Failure>;
          resolve({ status, problem: message ?? this.#text('noAnswer', { status }) });
        });
    });
  }
}
