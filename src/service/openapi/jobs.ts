/** The part about jobs. */
import { failures, ok, problemsOf } from './responses.ts';

const job = (description: string): object =>
  ok(description, 'application/json', { $ref: '#/components/schemas/Job' });

const DENIED = ['M2FP_UNAUTHORIZED', 'M2FP_BAD_OPTION', 'M2FP_JOB_NOT_FOUND', 'INTERNAL'] as const;

const WEBHOOK = {
  name: 'job.webhook',
  in: 'query',
  description: "Called when the job has ended; its host must be one that the service's owner allows.",
  schema: { type: 'string', format: 'uri' },
};

/** @param body and `parameters` as of a request for a picture, which a job is, later */
export function jobPaths(body: object, parameters: readonly object[]): Record<string, object> {
  const id = { name: 'id', in: 'path', required: true, schema: { type: 'string' } };
  return {
    '/api/jobs': {
      post: {
        operationId: 'createJob',
        tags: ['Jobs'],
        summary: 'Keeps a picture, and parses it when its turn comes; 202 means kept, also over a restart',
        parameters: [...parameters, WEBHOOK],
        requestBody: body,
        responses: {
          202: {
            ...job('The job.'),
            headers: { Location: { description: 'Of the job.', schema: { type: 'string' } } },
          },
          ...failures(),
          ...problemsOf(['M2FP_NOT_KEPT']),
        },
      },
    },
    '/api/jobs/{id}': {
      get: {
        operationId: 'job',
        tags: ['Jobs'],
        summary: 'How the job does, and its result',
        parameters: [
          id,
          {
            name: 'result',
            in: 'query',
            description: 'The result alone, as it is.',
            schema: { type: 'string' },
          },
        ],
        responses: { 200: job('The job, or its result.'), ...problemsOf([...DENIED, 'M2FP_JOB_NOT_DONE']) },
      },
      delete: {
        operationId: 'cancelJob',
        tags: ['Jobs'],
        summary: 'Cancels the job, or forgets its result',
        parameters: [id],
        responses: {
          200: job('What became of it.'),
          204: { description: 'It is forgotten.' },
          ...problemsOf(DENIED),
        },
      },
    },
  };
}
