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
import type { Features } from './versions.ts';

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

export function makeSchema(features: Features): GraphQLSchema {
  return buildSchema(schemaSdl(features));
}

export function makeGraphql(stash: Stash): GraphqlEngine {
  const { schema } = stash;
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
  let checked: CheckedQuery;
  try {
    checked = checkedQuery(schema, request.query);
  } catch (error) {
    return refusal(422, [withCode(error as GraphQLError, 'GRAPHQL_PARSE_FAILED')]);
  }
  const { document, broken } = checked;
  const operation = getOperationAST(document, request.operationName ?? undefined);
  onFields(
    (operation?.selectionSet.selections ?? [])
      .map((selection) => (selection.kind === 'Field' ? selection.name.value : '...'))
      .join(','),
  );
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

interface CheckedQuery {
  readonly document: DocumentNode;
  readonly broken: readonly GraphQLError[];
}

/** As many as gqlgen keeps in Stash. */
const QUERIES_KEPT = 1000;
const checkedQueries = new WeakMap<GraphQLSchema, Map<string, CheckedQuery>>();

/** Parsed and validated once: a hook asks the same for every scene. Throws when it cannot be parsed. */
function checkedQuery(schema: GraphQLSchema, query: string): CheckedQuery {
  const known = checkedQueries.get(schema) ?? new Map<string, CheckedQuery>();
  checkedQueries.set(schema, known);
  let checked = known.get(query);
  if (checked === undefined) {
    const document = parse(query);
    checked = { document, broken: validate(schema, document) };
    if (known.size >= QUERIES_KEPT) known.clear();
    known.set(query, checked);
  }
  return checked;
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
