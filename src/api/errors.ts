// How a refused request is answered: the right status, and {error, problems?} as JSON.

import type { FastifyError, FastifyReply, FastifyRequest } from 'fastify';
import type { Problem } from '../model/problem.ts';
import { UserError } from '../util/error.ts';
import type { ApiError } from './schemas.ts';

/** A refusal that a route chooses itself. */
export class HttpError extends Error {
  readonly status: number;
  readonly problems: Problem[] | undefined;

  constructor(status: number, message: string, problems?: Problem[]) {
    super(message);
    this.name = 'HttpError';
    this.status = status;
    this.problems = problems;
  }
}

export function refusedConfig(problems: Problem[]): HttpError {
  const errors = problems.filter(({ severity }) => severity === 'error').length;
  const count = errors === 1 ? '1 error' : `${errors} errors`;
  return new HttpError(400, `the configuration has ${count}; nothing was changed`, problems);
}

/** What is wrong with a query or a body, all at once. */
function validationSentence(error: FastifyError): string {
  const where = { querystring: 'query', headers: 'headers', body: 'body', params: 'path' };
  const context = where[error.validationContext as keyof typeof where] ?? 'request';
  const problems = (error.validation ?? []).map(({ instancePath, message }) => {
    const key = instancePath.replaceAll('/', '.').replace(/^\./, '');
    return key === '' ? message : `${key}: ${message}`;
  });
  return `${context}: ${problems.join('; ')}`;
}

const isFastifyError = (error: unknown): error is FastifyError =>
  error instanceof Error && 'statusCode' in error;

function toAnswer(error: unknown, method: string): { status: number; body: ApiError } {
  if (error instanceof HttpError) {
    const { status, message, problems } = error;
    return { status, body: problems ? { error: message, problems } : { error: message } };
  }
  // Who reads asked for nothing wrong: the director, or a program that it needs, is not there.
  if (error instanceof UserError)
    return { status: method === 'GET' ? 503 : 409, body: { error: error.message } };
  if (isFastifyError(error) && error.validation)
    return { status: 400, body: { error: validationSentence(error) } };
  if (isFastifyError(error) && error.code === 'FST_ERR_CTP_INVALID_MEDIA_TYPE')
    return { status: 415, body: { error: `${error.message}; send text/yaml or application/json` } };
  if (isFastifyError(error) && (error.statusCode ?? 500) < 500)
    return { status: error.statusCode ?? 400, body: { error: error.message } };
  return { status: 500, body: { error: "a bug of lvsj's: the daemon's log has its stack" } };
}

export function answerError(error: unknown, request: FastifyRequest, reply: FastifyReply): void {
  const { status, body } = toAnswer(error, request.method);
  if (status === 500)
    request.log.error({ err: error, method: request.method, url: request.url }, 'request failed');
  reply.code(status).send(body);
}

export function answerNotFound(request: FastifyRequest, reply: FastifyReply): void {
  const error = `there is no ${request.method} ${request.url}; GET /v1/openapi.json lists what there is`;
  reply.code(404).send({ error } satisfies ApiError);
}
