// Which events the table shows: type, machine, text and "only changes" narrow each other.

import { byId, h } from './dom.ts';
import { isChange, MACHINES, type ShownEvent } from './model.ts';
import { moveWords, saidOf } from './words.ts';

/** Returns what applies the filters as they are set. */
export function filterOf(
  events: readonly ShownEvent[],
  onShown: (shown: readonly ShownEvent[]) => void,
): () => void {
  const type = byId<HTMLSelectElement>('filter-type');
  const machine = byId<HTMLSelectElement>('filter-machine');
  const text = byId<HTMLInputElement>('filter-text');
  const changes = byId<HTMLInputElement>('filter-changes');
  const option = (value: string, words = value) => h('option', { value }, words);
  const types = [...new Set(events.map((event) => event.type))].sort();
  type.append(option('', 'all'), ...types.map((name) => option(name)));
  machine.append(option('', 'all'), ...MACHINES.map((name) => option(name)));
  const texts = new Map<ShownEvent, string>();
  const textOf = (event: ShownEvent) => {
    const known =
      texts.get(event) ?? [event.type, event.by, saidOf(event), moveWords(event)].join(' ').toLowerCase();
    texts.set(event, known);
    return known;
  };
  const apply = () => {
    const wanted = text.value.trim().toLowerCase();
    onShown(
      events.filter(
        (event) =>
          (type.value === '' || event.type === type.value) &&
          (machine.value === '' || machine.value in event.moves) &&
          (!changes.checked || isChange(event)) &&
          (wanted === '' || textOf(event).includes(wanted)),
      ),
    );
  };
  for (const control of [type, machine, text, changes]) control.addEventListener('input', apply);
  byId('filters').addEventListener('submit', (event) => event.preventDefault());
  return apply;
}
