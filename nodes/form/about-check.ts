/** The button that tries what is deployed, and what came of that. */
import type { Ask, CheckResult, DeployedFacts, Int8Speed } from './about-answers.ts';
import { type AboutText, int8SpeedText } from './about-rows.ts';
import { bytesText, secondsText } from './amounts.ts';
import type { Dollar, Elements } from './editor.ts';

/** Milliseconds between looks at a model that is being checked. */
const LOOK = 1000;

export interface ModelCheckOptions {
  text: AboutText;
  ask: Ask;
  /** Of the config node. */
  id: string;
  /** False once the form is closed. */
  isOpen: () => boolean;
  /** Looks at what is deployed: a published model may be downloaded first, which takes a while. */
  look: () => Promise<void>;
  /** What int8 brings on this machine was measured. */
  onMeasured: (speed: Int8Speed) => void;
}

export class ModelCheck {
  readonly #$: Dollar;
  readonly #options: ModelCheckOptions;
  readonly #button: Elements;
  readonly #result: Elements;
  #isRunning = false;

  constructor($: Dollar, container: Elements, options: ModelCheckOptions) {
    this.#$ = $;
    this.#options = options;
    this.#button = $('<button type="button" class="red-ui-button">')
      .text(options.text('check'))
      .prop('disabled', true)
      .on('click', () => void this.#run())
      .appendTo(container);
    this.#result = $('<dl aria-live="polite">').appendTo(container);
  }

  get isRunning(): boolean {
    return this.#isRunning;
  }

  toggle(isShown: boolean): void {
    this.#button.toggle(isShown);
  }

  /**
   * @param isSame whether what is deployed is what the form means: the button does nothing for another choice, which was not
   *   saved yet
   * @param state of what is deployed, where that is the same
   */
  update(isSame: boolean, state: DeployedFacts['state'] | undefined): void {
    this.#button
      .prop('disabled', this.#isRunning || !isSame)
      .text(this.#options.text(state === 'not pulled' ? 'downloadAndCheck' : 'check'));
    // Nor does what it said of another one stay.
    if (!isSame && !this.#isRunning) this.#result.empty();
  }

  async #run(): Promise<void> {
    const { text, ask, id, isOpen, look, onMeasured } = this.#options;
    this.#isRunning = true;
    this.#button.prop('disabled', true);
    this.#show(text('checking'));
    const looking = setInterval(() => {
      if (isOpen()) void look();
    }, LOOK);
    const { answer, problem } = await ask('POST', `models/${id}/check`);
    clearInterval(looking);
    this.#isRunning = false;
    const result = answer as CheckResult | undefined;
    if (result?.int8) onMeasured(result.int8);
    if (result === undefined) this.#show(problem ?? '', true);
    else this.#show(resultText(result, text));
    await look();
  }

  #show(result: string, isProblem = false): void {
    const { text } = this.#options;
    this.#result.empty();
    this.#$('<dt>').text(text('row.check')).appendTo(this.#result);
    this.#$('<dd>').text(result).toggleClass('m2fp-about-error', isProblem).appendTo(this.#result);
  }
}

function resultText(result: CheckResult, text: AboutText): string {
  const { load, seconds, memory, provider, threads, persons, parts, width, height, int8 } = result;
  return [
    load === null ? text('wasLoaded') : text('loadedIn', { seconds: secondsText(load) }),
    text('sample', { width, height, seconds: secondsText(seconds), threads, provider }),
    persons === null ? text('foundParts', { parts }) : text('found', { persons, parts }),
    ...(memory === null ? [] : [text('memoryTaken', { memory: bytesText(memory) })]),
    ...(int8 === null ? [] : [`int8: ${int8SpeedText(int8, text)}`]),
  ].join(' · ');
}
