// One GraphQL request, answered as gqlgen answers in Stash: a query that does not fit the schema is HTTP
// 422 with GRAPHQL_VALIDATION_FAILED and data null, as captured in test/fixtures/captures/graphql; an error
// of a resolver is 200 with `errors`. It knows nothing of sockets or of who may ask.
import {
  buildSchema,
  type DocumentNode,
  execute,
  type GraphQLError,
  type GraphQLSchema,
  getOperationAST,
  parse,
  validate,
} from 'graphql';
import { rootValue } from './resolvers.ts';
import { schemaSdl } from './sdl.ts';
import type { Asker, Stash } from './stash.ts';

export interface GraphqlAnswer {
  readonly status: number;
  readonly body: string;
}

export interface GraphqlEngine {
  readonly answer: (
    requestBody: string,
    asker: Asker,
    onFields: (fields: string) => void,
  ) => Promise<GraphqlAnswer>;
}

export function makeGraphql(stash: Stash): GraphqlEngine {
  const schema = buildSchema(schemaSdl(stash.features));
  const root = rootValue(stash, schema);
  return { answer: (body, asker, onFields) => answer(schema, root, body, asker, onFields) };
}

interface GraphqlRequest {
  readonly query: string;
  readonly variables?: Record<string, unknown> | null;
  readonly operationName?: string | null;
}

async function answer(
  schema: GraphQLSchema,
  root: Record<string, unknown>,
  body: string,
  asker: Asker,
  onFields: (fields: string) => void,
): Promise<GraphqlAnswer> {
  const request = requestOf(body);
  if (request === undefined) {
    return refusal(400, [{ message: 'json request body could not be decoded' }]);
  }
  let document: DocumentNode;
  try {
    document = parse(request.query);
  } catch (error) {
    return refusal(422, [withCode(error as GraphQLError, 'GRAPHQL_PARSE_FAILED')]);
  }
  const operation = getOperationAST(document, request.operationName ?? undefined);
  onFields(
    (operation?.selectionSet.selections ?? [])
      .map((selection) => (selection.kind === 'Field' ? selection.name.value : '...'))
      .join(','),
  );
  const broken = validate(schema, document);
  if (broken.length > 0) {
    return refusal(
      422,
      broken.map((error) => withCode(error, 'GRAPHQL_VALIDATION_FAILED')),
    );
  }
  const result = await execute({
    schema,
    document,
    rootValue: root,
    contextValue: asker,
    variableValues: request.variables ?? {},
    operationName: request.operationName ?? null,
  });
  if (result.errors === undefined) return { status: 200, body: JSON.stringify({ data: result.data }) };
  if (result.data === undefined) {
    return refusal(
      422,
      result.errors.map((error) => withCode(error, 'GRAPHQL_VALIDATION_FAILED')),
    );
  }
  const errors = result.errors.map(({ message, path }) => ({ message, path }));
  return { status: 200, body: JSON.stringify({ errors, data: result.data }) };
}

function requestOf(body: string): GraphqlRequest | undefined {
  try {
    const request = JSON.parse(body) as Partial<GraphqlRequest> | null;
    return typeof request?.query === 'string' ? (request as GraphqlRequest) : undefined;
  } catch {
    return undefined;
  }
}

function refusal(status: number, errors: readonly unknown[]): GraphqlAnswer {
  return { status, body: JSON.stringify({ errors, data: null }) };
}

function withCode(error: GraphQLError, code: string): unknown {
  return { message: error.message, locations: error.locations, extensions: { code } };
}
