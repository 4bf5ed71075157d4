// Filters of cases: which cases the address asks for, and which values of a dimension exist among them.

import { caseName } from "./format.js";
import { kindOf } from "./naming.js";

const DIMENSIONS = {
  benchmark: (it) => it.key.benchmark,
  plugin: (it) => it.key.plugin,
  device: (it) => kindOf(it.key.device),
  engine: (it) => it.key.engine,
  category: (it) => it.category,
};

function passes(it, state, without) {
  return Object.entries(DIMENSIONS).every(([name, value]) => name === without || !state[name] || state[name] === value(it));
}

/** The cases that the address asks for. */
export function chosen(all, state) {
  const text = (state.q ?? "").toLowerCase();
  return all.filter((it) => passes(it, state) && (!text || caseName(it.key).toLowerCase().includes(text)));
}

/** Values of a dimension with their counts, among what the other filters let through. */
export function facet(all, state, name) {
  return counted(
    all.filter((it) => passes(it, state, name)),
    DIMENSIONS[name],
  );
}

/** How often each value occurs: only what exists is offered. */
export function counted(items, value) {
  const counts = new Map();
  items.forEach((item) => counts.set(value(item), (counts.get(value(item)) ?? 0) + 1));
  return [...counts].sort(([a], [b]) => (a < b ? -1 : 1)).map(([name, count]) => [name, `${name} (${count})`]);
}
