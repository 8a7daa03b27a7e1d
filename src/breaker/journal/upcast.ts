// Records of older shapes, said in today's. It stands before the shapes: a field that is required from some version on is
// filled in here for the records from before, which would else be void, and the history with them.

import type { JournalRecord } from './record.ts';

type Data = JournalRecord['data'];

/** By the type of a record. Pure; data of today's shape come back as they are. */
export type Upcasts = Readonly<Record<string, (data: Data) => Data>>;

export function upcast(record: JournalRecord, upcasts: Upcasts): JournalRecord {
  const own = Object.hasOwn(upcasts, record.type) ? upcasts[record.type] : undefined;
  return own === undefined ? record : { ...record, data: own(record.data) };
}

/** What a record from before does not say is what `missing` says. What is there is kept, and judged by its shape. */
export function filledIn(field: string, missing: object): (data: Data) => Data {
  return (data) => {
    const value = data[field];
    const isObject = typeof value === 'object' && value !== null && !Array.isArray(value);
    return isObject ? { ...data, [field]: { ...missing, ...value } } : data;
  };
}
