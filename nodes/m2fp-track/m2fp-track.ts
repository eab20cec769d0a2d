import type { Node, NodeAPI, NodeDef, NodeMessage } from 'node-red';
import { checkParsing } from '../../src/parsing/check.ts';
import { readOptions } from '../../src/parsing/options/option-table.ts';
import { TRACK_OPTIONS } from '../../src/people/track/track-options.ts';
import type { TrackEvent } from '../../src/people/track/types.ts';
import { Outputs } from '../common/hand-over.ts';
import { offerPictures } from '../common/next-picture.ts';
import { optionsInMessage } from '../common/option-names.ts';
import { parsingNode } from '../common/parsing-node.ts';
import { SharedListener } from '../common/shared-listener.ts';
import { FIELDS, settingsOf, type TrackSettings } from './config.ts';
import { keepTopics, takeTopics } from './kept-topics.ts';
import { frameOf, resetIn } from './frame.ts';
import { WakeTimer } from './wake-timer.ts';

const flowsStarted = new SharedListener('flows:started');

/** Gives people numbers that stay from picture to picture, and tells who comes, goes, enters a zone or crosses a line. */
export default function (RED: NodeAPI): void {
  function createTrack(this: Node, stored: NodeDef): void {
    const { config, status, parsingOf, handle } = parsingNode(RED, this, FIELDS, stored);
    const show = (n: number): void => status.done(status.text('result.people', { n }));
    const topics = takeTopics(this.id);
    const pictures = offerPictures(RED, this);
    const timer = new WakeTimer(topics, (events) => {
      show(events.at(-1)!.count);
      this.send([null, events.map((event) => messageOf(event, event.topic))]);
    });
    // Earlier, those whom events go to may not be there yet.
    const started = flowsStarted.add(RED.events, () => timer.set());
    handle(
      async (msg) => {
        const reset = resetIn(msg);
        if (reset !== undefined) {
          topics.reset(reset.topic);
          timer.set();
          show(0);
          return [];
        }
        const parsing = await parsingOf(msg);
        checkParsing(parsing);
        const options = readOptions(TRACK_OPTIONS, {
          ...settingsOf(config),
          ...optionsInMessage<TrackSettings>(msg, 'track'),
        });
        pictures.pass(parsing.image);
        const { topic, time } = frameOf(msg);
        const tracked = await topics.track(parsing, topic, time, options).finally(() => timer.set());
        for (const warning of tracked.warnings) this.warn(warning);
        msg['parsing'] = { ...tracked.parsing, topic };
        msg.payload = tracked.state;
        show(tracked.state.count);
        // A topic that was forgotten for this one has its own name.
        const topicOf = (event: TrackEvent): string =>
          event.topic === topic ? (msg.topic ?? topic) : event.topic;
        return new Outputs([msg, tracked.events.map((event) => messageOf(event, topicOf(event)))]);
      },
      () => {
        pictures.close();
        started();
        timer.close();
        keepTopics(this.id, topics);
      },
    );
  }
  RED.nodes.registerType('m2fp-track', createTrack);
}

/** An event for the second output, with the topic of the message that it came of. */
function messageOf(event: TrackEvent, topic: string): NodeMessage {
  return { topic, payload: event };
}
