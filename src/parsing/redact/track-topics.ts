/** Whose numbers a stream of parsings has. */
import { badOption, show } from '../options/options.ts';
import type { Parsing } from '../types.ts';
import { type GivenKeep, readKeep, topicName } from './keep.ts';

/**
 * The topics of the tracked parsings that have passed, as far as it matters: each topic is numbered from 1, so that once there
 * are two, a number without its topic means somebody of each.
 */
export class TrackTopics {
  #first: string | undefined;
  #other: string | undefined;

  /**
   * Takes note of a parsing's topic, and refuses a rule that keeps numbers of no topic once there were several.
   * @param keep the option `keep`, as given
   * @throws {M2fpError} `M2FP_BAD_OPTION`
   */
  check(parsing: Parsing & { topic?: unknown }, keep: GivenKeep | undefined): void {
    const people = [...parsing.persons, ...(parsing.doubtful?.persons ?? [])];
    if (people.some((person) => 'track' in person)) {
      const topic = topicName(parsing.topic) ?? show(parsing.topic);
      this.#first ??= topic;
      if (topic !== this.#first) this.#other ??= topic;
    }
    if (this.#first === undefined || this.#other === undefined) return;
    if ((readKeep('keep', keep)?.tracks.size ?? 0) === 0) return;
    throw badOption(
      'keep',
      keep,
      `numbers of tracks with their topic, such as "track 7 of yard", where people of several topics pass (${show(this.#first)}, ${show(this.#other)}): each has a number 7 of its own`,
    );
  }
}
