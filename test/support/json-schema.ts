// As much of JSON Schema as ours are made of. A keyword that it does not know is an error: nothing is passed over in silence.
// Stricter than the standard in one thing: a property that is not described is a problem, so that no field goes undocumented.

export type JsonSchema = Readonly<Record<string, unknown>>;

const NOTES = new Set(['$schema', '$id', 'title', 'description']);

/** What is wrong with `value`; empty: nothing. */
export function problemsOf(schema: JsonSchema, value: unknown, at = '$'): string[] {
  const {
    anyOf,
    oneOf,
    properties = {},
    required = [],
    ...rest
  } = schema as {
    anyOf?: JsonSchema[];
    oneOf?: JsonSchema[];
    properties?: Record<string, JsonSchema>;
    required?: string[];
  } & JsonSchema;
  const choices = anyOf ?? oneOf;
  if (choices !== undefined) {
    const tried = choices.map((choice) => problemsOf(merged(choice, properties, required), value, at));
    return tried.some((problems) => problems.length === 0)
      ? []
      : (tried.sort((a, b) => a.length - b.length)[0] ?? []);
  }
  const problems: string[] = [];
  for (const [keyword, wanted] of Object.entries(rest)) {
    if (!NOTES.has(keyword) && !holds(keyword, wanted, value))
      problems.push(`${at}: ${keyword} ${JSON.stringify(wanted)}, not ${JSON.stringify(value)}`);
  }
  if (Array.isArray(value)) {
    return [
      ...problems,
      ...value.flatMap((one, index) => problemsOf((rest.items ?? {}) as JsonSchema, one, `${at}[${index}]`)),
    ];
  }
  if (typeof value !== 'object' || value === null) return problems;
  for (const name of required) if (!Object.hasOwn(value, name)) problems.push(`${at}.${name} is missing`);
  for (const [name, one] of Object.entries(value)) {
    const described = properties[name] ?? (rest.additionalProperties as JsonSchema | undefined);
    if (described === undefined && Object.keys(schema).length > 0)
      problems.push(`${at}.${name} is not described`);
    else if (described !== undefined) problems.push(...problemsOf(described, one, `${at}.${name}`));
  }
  return problems;
}

function merged(
  choice: JsonSchema,
  properties: Record<string, JsonSchema>,
  required: readonly string[],
): JsonSchema {
  if (choice.type !== undefined && choice.type !== 'object') return choice;
  return {
    ...choice,
    properties: { ...properties, ...(choice.properties as object) },
    required: [...required, ...((choice.required as string[]) ?? [])],
  };
}

function holds(keyword: string, wanted: unknown, value: unknown): boolean {
  switch (keyword) {
    case 'type':
      return wanted === typeOf(value) || (wanted === 'integer' && Number.isInteger(value));
    case 'const':
      return value === wanted;
    case 'enum':
      return (wanted as unknown[]).includes(value);
    case 'minimum':
      return typeof value !== 'number' || value >= (wanted as number);
    case 'maximum':
      return typeof value !== 'number' || value <= (wanted as number);
    case 'items':
    case 'propertyNames':
    case 'additionalProperties':
      return true;
    default:
      throw new Error(`the keyword ${keyword} is not known to this test`);
  }
}

function typeOf(value: unknown): string {
  if (value === null) return 'null';
  return Array.isArray(value) ? 'array' : typeof value;
}
