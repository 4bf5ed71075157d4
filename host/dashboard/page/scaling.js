// How a metric grows with a parameter: the lines of a scaling chart, out of cases that differ in it.

import { namer } from "./naming.js";

const MOST_LINES = 8;

/** Lines `{name, xs, ys}`, one for each variant with two values of the parameter. `rows` are `{key, newest: {median}}`. */
export function scalingLines(rows, parameter) {
  const without = (params) => Object.fromEntries(Object.entries(params).filter(([name]) => name !== parameter));
  const variant = ({ key }) => JSON.stringify([key.plugin, key.engine, key.device, Object.entries(without(key.params ?? {})).sort()]);
  const groups = [...Map.groupBy(rows, variant).values()].filter((group) => group.length > 1).slice(0, MOST_LINES);
  const variants = groups.map(([{ key }]) => ({ ...key, params: without(key.params) }));
  const name = namer(variants);
  return groups.map((group, place) => {
    const sorted = group.toSorted((a, b) => Number(a.key.params[parameter]) - Number(b.key.params[parameter]));
    const unique = sorted.filter((it, at) => at === 0 || it.key.params[parameter] !== sorted[at - 1].key.params[parameter]);
    return { name: name(variants[place]), xs: unique.map((it) => Number(it.key.params[parameter])), ys: unique.map((it) => it.newest.median) };
  });
}

/** The parameter that is the axis unless another one is chosen. */
export function usualParameter(params) {
  return params.includes("batch_size") ? "batch_size" : params[0];
}
