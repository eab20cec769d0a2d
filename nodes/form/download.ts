/** Gets the model that the form names, before any picture and any deploy: the button, the progress, and its end. */
import type { PullProgress } from '../../src/store/progress.ts';
import type { Answer, Ask, DownloadStatus, FormDescription } from './about-answers.ts';
import type { AboutText } from './about-rows.ts';
import { bytesText } from './amounts.ts';
import { cancelledKey, problemText, progressText, startKey } from './download-text.ts';
import { Notes } from './notes.ts';
import type { Dollar, Elements } from './editor.ts';
import type { Says } from './says.ts';

/** Milliseconds between looks at a download. */
const LOOK = 500;
/** Questions without an answer after which what was told last is no longer shown as if it went on. */
const MISSES = 3;

/** What was said last, of the choice that it belongs to. */
interface Said {
  choice: string;
  text: string;
  isProblem: boolean;
  notes: readonly string[];
}

const NOTHING: Said = { choice: '', text: '', isProblem: false, notes: [] };

export interface DownloadOptions {
  text: AboutText;
  says: Says;
  ask: Ask;
  /** The values of the form, as JSON. */
  form: () => string;
  /** False once the form is closed. */
  isOpen: () => boolean;
  /** The model is there now, or nobody knows of the download any more. */
  onEnd: () => void;
}

export class ModelDownload {
  readonly #options: DownloadOptions;
  readonly #bar: Elements;
  readonly #line: Elements;
  readonly #problem: Elements;
  readonly #end: Elements;
  readonly #notes: Notes;
  readonly #start: Elements;
  /** For an int8 model that is there. */
  readonly #again: Elements;
  readonly #cancel: Elements;
  #description: FormDescription | undefined;
  /** Of a pull that a deployed node waits for. */
  #elsewhere: PullProgress | null = null;
  /** Of the choice that it names; another one is not shown. */
  #status: DownloadStatus | undefined;
  #said: Said = NOTHING;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #isBusy = false;
  /** Questions in a row to which Node-RED gave no answer. */
  #missed = 0;

  constructor($: Dollar, container: Elements, options: DownloadOptions) {
    this.#options = options;
    const { text } = options;
    const box = $('<div class="m2fp-download">').appendTo(container);
    const button = (key: string, press: () => Promise<void>): Elements =>
      $('<button type="button" class="red-ui-button">')
        .text(text(key))
        .on('click', () => void press());
    this.#bar = $('<progress max="1">').attr('aria-label', text('download.title')).appendTo(box);
    this.#line = $('<div class="m2fp-download-line">').appendTo(box);
    this.#problem = $('<div class="m2fp-about-error" role="alert">').appendTo(box);
    this.#end = $('<div role="status">').appendTo(box);
    this.#notes = new Notes($, box, text);
    this.#start = button('download.now', () => this.#begin()).appendTo(box);
    this.#again = button('download.int8Again', () => this.#begin(true)).appendTo(box);
    this.#cancel = button('download.cancel', () => this.#stop()).appendTo(box);
    this.#draw();
  }

  /**
   * What the form means now.
   * @param description undefined while that is not known
   * @param elsewhere how far the deployed node has come that gets the same model
   */
  update(description: FormDescription | undefined, elsewhere: PullProgress | null): void {
    this.#description = description;
    this.#elsewhere = elsewhere;
    const download = description?.download ?? null;
    // One that has ended is told by the look at it.
    if (download && download.state !== 'done' && this.#status?.id !== description?.choice)
      this.#status = download;
    this.#draw();
    this.#watch();
  }

  /** What came of the last try says nothing of what the form wants now. */
  forget(): void {
    if (this.#status?.state === 'failed') this.#status = undefined;
    this.#said = NOTHING;
  }

  /** That of the choice in the form. */
  get #shown(): DownloadStatus | undefined {
    return this.#status?.id === this.#description?.choice ? this.#status : undefined;
  }

  async #begin(again = false): Promise<void> {
    const form = this.#options.form();
    const body = again ? JSON.stringify({ ...JSON.parse(form), again }) : form;
    const answer = await this.#press(() => this.#options.ask('POST', 'downloads', body));
    if (answer === undefined) return;
    this.#take(answer);
    if (this.#shown?.state === 'running') this.#cancel.trigger('focus');
  }

  async #stop(): Promise<void> {
    const id = this.#shown?.id;
    if (id === undefined) return;
    const key = cancelledKey(this.#description, this.#shown?.progress?.phase);
    const answer = await this.#press(() => this.#options.ask('POST', `downloads/${id}/cancel`));
    if (answer === undefined) return;
    if (answer.problem !== undefined && answer.status !== 404)
      return this.#say(id, answer.problem, { isProblem: true });
    if (this.#status?.id === id) this.#status = undefined;
    this.#say(id, this.#options.text(`download.${key}`));
    this.#options.onEnd();
    this.#start.trigger('focus');
  }

  /** One press at a time. */
  async #press(work: () => Promise<Answer>): Promise<Answer | undefined> {
    if (this.#isBusy) return undefined;
    this.#isBusy = true;
    this.#said = NOTHING;
    this.#draw();
    try {
      return await work();
    } finally {
      this.#isBusy = false;
      this.#draw();
    }
  }

  /** Looks at what runs, until it has ended, the form is closed, or it names another model. */
  #watch(): void {
    if (this.#timer !== undefined || this.#shown?.state !== 'running') return;
    this.#timer = setTimeout(() => void this.#look(), LOOK);
  }

  async #look(): Promise<void> {
    const id = this.#shown?.id;
    const answer =
      id === undefined || !this.#options.isOpen()
        ? undefined
        : await this.#options.ask('GET', `downloads/${id}`);
    this.#timer = undefined;
    if (answer === undefined || this.#status?.id !== id || this.#status?.state !== 'running') return;
    const wasLost = this.#isLost;
    this.#missed = answer.status === 200 ? 0 : this.#missed + 1;
    if (answer.answer === null) {
      const received = this.#status.progress?.received ?? 0;
      this.#status = undefined;
      if (wasLost) return this.#resume(received);
      // Cancelled by somebody else, or Node-RED was started anew.
      this.#options.onEnd();
    } else if (answer.status === 200) this.#take(answer);
    // Who gives no answer now may give one later.
    else this.#watch();
    this.#draw();
  }

  get #isLost(): boolean {
    return this.#missed >= MISSES;
  }

  /** Begins again what a Node-RED that ended did not finish, and says so. */
  async #resume(received: number): Promise<void> {
    const { ask, form, text } = this.#options;
    const answer = await this.#press(() => ask('POST', 'downloads', form()));
    if (answer === undefined) return;
    this.#take(answer);
    const { problem } = answer;
    if (problem !== undefined || this.#status?.state !== 'running') return;
    const key = received > 0 ? 'download.resumed' : 'download.begunAnew';
    this.#say(this.#status.id, text(key, { received: bytesText(received) }));
  }

  #take({ answer, problem }: Answer): void {
    if (problem !== undefined)
      return this.#say(this.#description?.choice ?? '', problem, { isProblem: true });
    const status = answer as DownloadStatus;
    this.#status = status;
    if (status.state === 'done') {
      const { text, says } = this.#options;
      // The former one still runs where it was deployed.
      const done = status.again ? 'download.doneAgain' : 'download.done';
      this.#say(status.id, text(done), { notes: status.warnings.map((warning) => says(warning)) });
      this.#options.onEnd();
    }
    this.#draw();
    this.#watch();
  }

  #say(choice: string, text: string, more: Partial<Said> = {}): void {
    this.#said = { ...NOTHING, choice, text, ...more };
    this.#draw();
  }

  #draw(): void {
    const { text, says } = this.#options;
    const description = this.#description;
    const isAbsent = description?.present === false;
    const status = this.#shown;
    const isRunning = (isAbsent || description?.isRemakable === true) && status?.state === 'running';
    const progress = isRunning ? status.progress : this.#elsewhere;
    const isComing = isRunning || (isAbsent && this.#elsewhere !== null);
    const isSaid = this.#said.choice === description?.choice;
    const said = isSaid && !this.#said.isProblem ? this.#said.text : '';
    const refusal = isSaid && this.#said.isProblem ? this.#said.text : '';
    const failure =
      (isAbsent || description?.isRemakable) && status?.problem
        ? problemText(status.problem, text, says)
        : '';

    this.#bar.toggle(isComing);
    if (progress?.share == null) this.#bar.removeAttr('value');
    else this.#bar.attr('value', String(progress.share));
    const line = isRunning && this.#isLost ? text('download.lost') : progressText(progress, text);
    this.#line.toggle(isComing).text(isComing ? line : '');
    const problem = refusal || failure;
    this.#problem.text(problem).toggle(problem !== '');
    this.#end.text(said);
    this.#notes.show(said === '' ? [] : this.#said.notes);
    this.#start
      .toggle(isAbsent && !isComing && description?.notMakable === null)
      .text(text(`download.${startKey(description)}`))
      .prop('disabled', this.#isBusy);
    this.#again.toggle(description?.isRemakable === true && !isComing).prop('disabled', this.#isBusy);
    this.#cancel.toggle(isRunning).prop('disabled', this.#isBusy || this.#isLost);
  }
}
