/** What the flow behind the node makes of a request, as far as the request can be held against it before the model runs. */
import type { Node, NodeAPI, NodeMessageInFlow } from 'node-red';
import { optionsInFields } from '../../src/parsing/options/option-table.ts';
import type { AnswerOptions } from '../../src/service/answer-options.ts';
import { planAnswer } from '../../src/service/plan.ts';
import { RESPONSE_SETTINGS } from '../m2fp-response/config.ts';
import { httpRequestOf } from './read-request.ts';
import { answerersBehind, hasJobsBehind, mayRequestsBeAnswered } from './wired-from.ts';

/** How one of the parsing responses behind answers. */
interface Answering {
  defaults: AnswerOptions;
  isLater: boolean;
}

export class WhatFollows {
  readonly #RED: NodeAPI;
  readonly #node: Node;
  #answering: readonly Answering[] | undefined;
  #hasJobs: boolean | undefined;
  #isAnswered: boolean | undefined;

  constructor(RED: NodeAPI, node: Node) {
    this.#RED = RED;
    this.#node = node;
  }

  /** After a deploy, other nodes may follow. */
  forget(): void {
    this.#answering = this.#hasJobs = this.#isAnswered = undefined;
  }

  /** Whether a jobs node may get the message. */
  get hasJobs(): boolean {
    return (this.#hasJobs ??= hasJobsBehind(this.#RED, this.#node));
  }

  /** Whether requests may get an answer; false where it is certain that they get none. */
  get isAnswered(): boolean {
    return (this.#isAnswered ??= mayRequestsBeAnswered(this.#RED, this.#node));
  }

  /**
   * Refuses a request that no parsing response behind could answer, whatever the picture. Nothing is said where something else
   * may answer. What a client accepts is no matter of a job: its result is asked for later.
   * @throws {M2fpError} `M2FP_NOT_ACCEPTABLE`, `M2FP_BAD_OPTION`
   */
  checkAnswer(msg: NodeMessageInFlow): void {
    this.#answering ??= answeringOf(this.#RED, this.#node);
    const { response: options } = msg['m2fp'] as { response: AnswerOptions };
    const accepted = httpRequestOf(msg)?.headers.accept;
    let reason: unknown;
    for (const { defaults, isLater } of this.#answering) {
      try {
        planAnswer({ options, defaults, accept: isLater ? undefined : accepted });
        return;
      } catch (error) {
        reason ??= error;
      }
    }
    if (reason !== undefined) throw reason;
  }
}

/** None where a form is wrong, or has what only the running node knows: nothing can be said of that one. */
function answeringOf(RED: NodeAPI, node: Node): Answering[] {
  const found = answerersBehind(RED, node).map(({ stored, isLater }) => ({
    defaults: optionsInFields(RESPONSE_SETTINGS, stored),
    isLater,
  }));
  const isRight = ({ defaults }: Answering): boolean => {
    try {
      planAnswer({ defaults });
      return true;
    } catch {
      return false;
    }
  };
  return found.every(isRight) ? found : [];
}
