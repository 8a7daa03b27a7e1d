// What a hook is told of the mutation: the whole input struct in the schema's order with null for what was
// not sent, and the names of what was. The names come in no fixed order in Stash (a Go map); here they are
// rotated from one call to the next, so that nobody comes to rely on an order.

import type { GraphQLSchema } from 'graphql';
import { type GraphQLInputType, getNullableType, isInputObjectType, isListType } from 'graphql';

export type Input = Readonly<Record<string, unknown>>;

export function wholeInput(schema: GraphQLSchema, typeName: string, input: Input): Input {
  return filled(schema.getType(typeName) as GraphQLInputType, input) as Input;
}

let rotations = 0;

export function sentFields(input: Input): string[] {
  const names = Object.keys(input);
  const turn = names.length === 0 ? 0 : rotations % names.length;
  rotations += 1;
  return [...names.slice(turn), ...names.slice(0, turn)];
}

function filled(givenType: GraphQLInputType, value: unknown): unknown {
  const type = getNullableType(givenType);
  if (value == null) return null;
  if (isListType(type)) return (value as unknown[]).map((item) => filled(type.ofType, item));
  if (!isInputObjectType(type)) return value;
  const fields = Object.values(type.getFields()).map(
    (field) => [field.name, filled(field.type, (value as Input)[field.name])] as const,
  );
  return Object.fromEntries(fields);
}
