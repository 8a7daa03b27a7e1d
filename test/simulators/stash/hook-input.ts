// What a hook is told of the mutation: the whole input struct in the schema's order with null for what was
// not sent, and the names of what was. The names come in no fixed order in Stash (a Go map); here they are
// rotated from one call to the next, so that nobody comes to rely on an order.

import type { GraphQLSchema } from 'graphql';
import { type GraphQLInputType, getNullableType, isInputObjectType, isListType } from 'graphql';

export type Input = Readonly<Record<string, unknown>>;

/** What a hook's context takes over. */
export interface WholeInput {
  readonly input: Input;
  readonly inputType: string;
}

export function wholeInput(schema: GraphQLSchema, typeName: string, input: Input): WholeInput {
  const whole = filled(schema.getType(typeName) as GraphQLInputType, input, null) as Input;
  return { input: whole, inputType: typeName };
}

/** As a script sees it: a nil list is an empty one, and an embedded struct is there under its name as well. */
export function scriptStruct(schema: GraphQLSchema, typeName: string, input: unknown): unknown {
  if (input == null) return null;
  if (Array.isArray(input)) return input.map((one) => scriptStruct(schema, typeName, one));
  const own = filled(schema.getType(typeName) as GraphQLInputType, input, []) as Input;
  const isExtended = Object.keys(input).some((key) => !(key in own));
  return isExtended ? { [typeName]: own, ...own, ...input } : own;
}

let rotations = 0;

export function sentFields(input: Input): string[] {
  const names = Object.keys(input);
  const turn = names.length === 0 ? 0 : rotations % names.length;
  rotations += 1;
  return [...names.slice(turn), ...names.slice(0, turn)];
}

/** The one struct that others hold by value, so that it is there even when it was not sent. */
const BY_VALUE = 'CustomFieldsInput';

function filled(givenType: GraphQLInputType, value: unknown, unsetList: null | []): unknown {
  const type = getNullableType(givenType);
  if (value == null && isListType(type)) return unsetList;
  if (value == null && !(isInputObjectType(type) && type.name === BY_VALUE)) return null;
  if (isListType(type)) return (value as unknown[]).map((item) => filled(type.ofType, item, unsetList));
  if (!isInputObjectType(type)) return value;
  const fields = Object.values(type.getFields()).map(
    (field) => [field.name, filled(field.type, (value as Input | null)?.[field.name], unsetList)] as const,
  );
  return Object.fromEntries(fields);
}
