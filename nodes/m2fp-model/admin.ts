/** What the editor asks Node-RED: the labels to offer, what a model is, and whether it works. */
import type { Request, RequestHandler } from 'express';
import type { NodeAPI } from 'node-red';
import { M2fpError } from '../../src/errors.ts';
import { LABEL_SETS, type LabelSet, partGroup } from '../../src/m2fp/labels.ts';
import { resolvePalette } from '../../src/parsing/options/palette.ts';
import { BACKGROUND_INDEX, firstOfName, isRecord } from '../../src/parsing/options/options.ts';
import { adminHandler, oncePerAdmin, ownJson, ownPages } from '../common/admin.ts';
import { deployedModels, modelNode, type ModelNode, type RedisCredentials } from '../common/model.ts';
import { factsOf, type Text } from '../common/model-facts.ts';
import type { LabelsAnswer, Part } from '../form/label-sets.ts';
import { checkModel, type CheckResult, prospectOf } from './about.ts';
import { patience } from './patience.ts';
import { type ModelConfig, readSettings } from './settings.ts';

const CATALOGUE = '@m2fp/node-red-human-parsing/m2fp-model:m2fp-model';

/** What the editor shows in place of a password. */
const UNCHANGED = '__PWRD__';

/** Milliseconds that the editor waits for workers to which no connection is open yet. */
const PATIENCE = 2000;

const isFirst = oncePerAdmin();

/** Adds the routes, once. */
export function serveAdmin(RED: NodeAPI): void {
  if (!isFirst(RED)) return;
  const checks = new Checks();
  const read = [RED.auth.needsPermission('flows.read') as RequestHandler, ownPages(RED)];
  const write = [RED.auth.needsPermission('flows.write') as RequestHandler, ...ownJson(RED)];

  RED.httpAdmin.get(
    '/m2fp/labels',
    read,
    answer(() => labelsAnswer(RED)),
  );
  RED.httpAdmin.get(
    '/m2fp/models/:id',
    read,
    answer(async (request) => {
      const model = modelNode(RED, request.params['id']);
      if (model === undefined) return undefined;
      const { presence } = await model.place();
      const text: Text = (key, values) => RED._(`${CATALOGUE}.${key}`, values);
      const facts = await factsOf(model, text, patience(PATIENCE));
      return { ...facts, progress: presence.state === 'pulling' ? presence.progress : null };
    }),
  );
  // The values of a form name a folder, a server and environment variables: only who may deploy them may ask about them.
  RED.httpAdmin.post(
    '/m2fp/models/estimate',
    write,
    answer(async (request) => {
      const { credentials, ...config } = formOf(request.body);
      const deployed = modelNode(RED, config.id) ?? ({} as ModelNode);
      const entered = enteredCredentials(credentials, deployed.credentials);
      return prospectOf(readSettings(RED, deployed, withVariables(RED, deployed, config), entered));
    }),
  );
  RED.httpAdmin.post(
    '/m2fp/models/:id/check',
    write,
    answer(async (request) => {
      const model = modelNode(RED, request.params['id']);
      return model && checks.run(model);
    }),
  );
}

/** Answers with what `work` gives, 404 where that is undefined. */
function answer(work: (request: Request) => Promise<object | undefined>): RequestHandler {
  return adminHandler(async (request, response) => {
    const found = await work(request);
    if (found === undefined) response.status(404).json({ message: 'No such model is deployed.' });
    else response.json(found);
  });
}

/** The values of the form that the request brings. */
function formOf(body: unknown): ModelConfig & { credentials?: unknown } {
  if (!isRecord(body) || typeof body['source'] !== 'string')
    throw new M2fpError('M2FP_BAD_OPTION', 'The request brings no values of the form of m2fp-model.');
  return { ...body } as unknown as ModelConfig;
}

/** The form with the values of those fields that are one environment variable, as Node-RED does when it deploys. */
function withVariables(RED: NodeAPI, node: ModelNode, config: ModelConfig): ModelConfig {
  const valueOf = (field: unknown): unknown => {
    const [, name] = typeof field === 'string' ? (/^\$\{([^}]+)\}$/.exec(field) ?? []) : [];
    return name === undefined ? field : (RED.util.getSetting(node, name) ?? field);
  };
  const fields = Object.entries(config).map(([name, field]) => [name, valueOf(field)]);
  return Object.fromEntries(fields) as unknown as ModelConfig;
}

/**
 * The credentials that the form holds.
 * @param known of the deployed node: the editor does not get its password, and shows {@link UNCHANGED} in its place
 */
function enteredCredentials(entered: unknown, known: RedisCredentials = {}): RedisCredentials {
  if (!isRecord(entered)) return {};
  const { redisUsername, redisPassword } = entered;
  return {
    ...(typeof redisUsername === 'string' && { redisUsername }),
    ...(typeof redisPassword === 'string' && {
      redisPassword: redisPassword === UNCHANGED ? (known.redisPassword ?? '') : redisPassword,
    }),
  };
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
    return partsOf(await model.manifest(patience(PATIENCE)));
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
