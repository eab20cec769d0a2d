/** What the editor asks Node-RED: the labels to offer, what a model is, and whether it works. */
import type { Request, RequestHandler, Response } from 'express';
import type { NodeAPI } from 'node-red';
import { LABEL_SETS, type LabelSet, partGroup } from '../../src/m2fp/labels.ts';
import { resolvePalette } from '../../src/parsing/options/palette.ts';
import { BACKGROUND_INDEX, firstOfName } from '../../src/parsing/options/options.ts';
import { adminHandler, oncePerAdmin, ownJson, ownPages, refuse } from '../common/admin.ts';
import { deployedModels, modelNode, type ModelNode } from '../common/model.ts';
import { services } from '../common/services.ts';
import { factsOf, type Text } from '../common/model-facts.ts';
import type { LabelsAnswer, Part } from '../form/label-sets.ts';
import { descriptionOf, refuseDownload, wantedModel } from './about.ts';
import { checkModel, type CheckResult } from './check.ts';
import { choiceOfPlace, choiceOfWanted } from './choice.ts';
import { Downloads } from './downloads.ts';
import { settingsOfForm } from './form-values.ts';
import type { ModelSettings } from './settings.ts';
import { workerTimeout } from './worker-timeout.ts';

const CATALOGUE = '@m2fp/node-red-human-parsing/m2fp-model:m2fp-model';

/** Milliseconds that the editor waits for workers to which no connection is open yet. */
const WORKER_TIMEOUT = 2000;

const NO_DOWNLOAD = 'There is no such download: it was cancelled, or Node-RED was started anew.';

const isFirst = oncePerAdmin();

/** Adds the routes, once. */
export function serveAdmin(RED: NodeAPI): void {
  if (!isFirst(RED)) return;
  const checks = new Checks();
  const downloads = new Downloads((wanted) => void tellNodes(RED, choiceOfWanted(wanted)));
  const read = [RED.auth.needsPermission('flows.read') as RequestHandler, ownPages(RED)];
  // One permission for all that the form does beside what is deployed: to look at a choice, to get it and to try it. The
  // values of a form name a folder, a server and environment variables, and a download takes network and disk.
  const use = [RED.auth.needsPermission('m2fp-model.write') as RequestHandler, ...ownJson(RED)];

  RED.httpAdmin.get(
    '/m2fp/labels',
    read,
    answer(() => labelsAnswer(RED)),
  );
  RED.httpAdmin.get(
    '/m2fp/models/:id',
    read,
    adminHandler(async (request, response) => {
      const model = modelNode(RED, request.params['id']);
      if (model === undefined) return missing(response);
      const place = await model.place();
      const { presence } = place;
      // Also of one that fails: the form shall not take the failure for that of another choice.
      const choice = choiceOfPlace(place);
      const text: Text = (key, values) => RED._(`${CATALOGUE}.${key}`, values);
      try {
        const facts = await factsOf(model, text, workerTimeout(WORKER_TIMEOUT));
        const progress = presence.state === 'pulling' ? presence.progress : null;
        response.json({ ...facts, choice, progress });
      } catch (error) {
        refuse(response, error, { choice });
      }
    }),
  );
  RED.httpAdmin.post(
    '/m2fp/models/estimate',
    use,
    answer(async (request) => {
      const settings = settingsOfForm(RED, request.body);
      const description = await descriptionOf(settings);
      // Of a model that is there, only an int8 one can be under way: it is made again.
      const isReady = description.present && !description.isRemakable;
      const download = isReady ? undefined : downloads.findWith(description.choice, picturesOf(settings));
      return { ...description, download: download ?? null };
    }),
  );
  RED.httpAdmin.post(
    '/m2fp/downloads',
    use,
    answer(async (request) => {
      const settings = settingsOfForm(RED, request.body);
      const wanted = await wantedModel(settings);
      if (wanted === undefined) return refuseDownload(settings);
      const { again } = request.body as { again?: unknown };
      return downloads.start(wanted, again === true && wanted.precision === 'int8');
    }),
  );
  RED.httpAdmin.get(
    '/m2fp/downloads/:id',
    read,
    // One that was cancelled in another window is no fault of who looks at it, and no line in the console: null.
    answer(async (request) => downloads.find(String(request.params['id'])) ?? null),
  );
  RED.httpAdmin.post(
    '/m2fp/downloads/:id/cancel',
    use,
    answer(
      async (request) => ((await downloads.cancel(String(request.params['id']))) ? {} : undefined),
      NO_DOWNLOAD,
    ),
  );
  RED.httpAdmin.post(
    '/m2fp/int8-speed',
    use,
    answer(() => services.int8Speed()),
  );
  RED.httpAdmin.post(
    '/m2fp/models/:id/check',
    use,
    answer(async (request) => {
      const model = modelNode(RED, request.params['id']);
      return model && checks.run(model);
    }),
  );
}

/** The folder of pictures that an int8 model is made with; undefined for others, and where none is given. */
function picturesOf(settings: ModelSettings): string | undefined {
  return settings.source === 'remote' ? undefined : (settings.published ?? settings.conversion)?.pictures;
}

/** Lets the nodes of the models that were waited for show that they are there. */
async function tellNodes(RED: NodeAPI, choice: string): Promise<void> {
  for (const model of deployedModels(RED)) {
    // One that is misconfigured tells of that itself.
    const place = await model.place().catch(() => undefined);
    if (place && choiceOfPlace(place) === choice) await model.lookAgain();
  }
}

/** Answers with what `work` gives, 404 where that is undefined. */
function answer(
  work: (request: Request) => Promise<object | null | undefined>,
  otherwise?: string,
): RequestHandler {
  return adminHandler(async (request, response) => {
    const found = await work(request);
    if (found === undefined) missing(response, otherwise);
    else response.json(found);
  });
}

function missing(response: Response, message = 'No such model is deployed.'): void {
  response.status(404).json({ message });
}

async function labelsAnswer(RED: NodeAPI): Promise<LabelsAnswer> {
  return {
    sets: Object.entries(LABEL_SETS).map(([id, set]) => ({ id, name: set.name, parts: partsOf(set) })),
    models: await Promise.all(
      deployedModels(RED).map(async (model) => ({
        id: model.id,
        name: model.name ?? '',
        parts: await partsOfModel(model),
      })),
    ),
  };
}

/** Null where the model is not there, is damaged, or its workers do not answer soon. */
async function partsOfModel(model: ModelNode): Promise<Part[] | null> {
  try {
    const { presence } = await model.place();
    if (presence.state !== 'present') return null;
    return partsOf(await model.manifest(workerTimeout(WORKER_TIMEOUT)));
  } catch {
    return null;
  }
}

/** One for each name. */
function partsOf({ labels, kind }: Pick<LabelSet, 'labels' | 'kind'>): Part[] {
  const palette = resolvePalette(labels);
  const human = kind === 'multi' ? labels.length - 1 : -1;
  const parts = labels.map((name, index) => ({
    name,
    color: `#${palette[index]!.map((channel) => channel.toString(16).padStart(2, '0')).join('')}`,
    group: index === BACKGROUND_INDEX || index === human ? 'whole' : (partGroup(name) ?? 'other'),
  }));
  const firsts = firstOfName(labels);
  return parts.filter((_, index) => firsts[index] === index);
}

/** One check of a model at a time: who asks meanwhile gets the result of that. */
class Checks {
  readonly #running = new Map<ModelNode, Promise<CheckResult>>();

  run(model: ModelNode): Promise<CheckResult> {
    const running = this.#running.get(model);
    if (running) return running;
    const abort = new AbortController();
    const onClose = (): void => abort.abort(new Error('The model was stopped or redeployed.'));
    model.once('close', onClose);
    const check = checkModel(model, abort.signal).finally(() => {
      model.off('close', onClose);
      this.#running.delete(model);
    });
    this.#running.set(model, check);
    return check;
  }
}
