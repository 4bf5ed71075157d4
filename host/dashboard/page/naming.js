// Names of cases, as short as they stay different: parameters that are the same everywhere are left out.

import { place } from "./format.js";

/** A function from a key to its name among these keys. */
export function namer(keys) {
  const seen = new Map();
  for (const key of keys) {
    const known = seen.get(key.benchmark) ?? new Map();
    seen.set(key.benchmark, known);
    for (const [name, value] of Object.entries(key.params ?? {})) {
      if (!known.has(name)) known.set(name, new Set());
      known.get(name).add(value);
    }
  }
  const plugins = new Map();
  keys.forEach((key) => plugins.set(key.benchmark, (plugins.get(key.benchmark) ?? new Set()).add(key.plugin)));
  return (key, { withPlace = true } = {}) => {
    const varied = Object.entries(key.params ?? {}).filter(([name]) => (seen.get(key.benchmark)?.get(name)?.size ?? 0) > 1);
    const plugin = (plugins.get(key.benchmark)?.size ?? 0) > 1 ? `${key.plugin}/` : "";
    const text = [`${plugin}${key.benchmark}`, ...varied.map(([name, value]) => `${name}=${value}`)].join(" ");
    return withPlace ? `${text} (${place(key)})` : text;
  };
}

/** Parameters whose values are numbers and differ: what a scaling chart can have as its axis. */
export function numericParams(keys) {
  const values = new Map();
  for (const key of keys) {
    for (const [name, value] of Object.entries(key.params ?? {})) {
      if (!values.has(name)) values.set(name, new Set());
      values.get(name).add(value);
    }
  }
  const isPositive = (text) => Number.isFinite(Number(text)) && Number(text) > 0;
  return [...values].filter(([, found]) => found.size > 1 && [...found].every(isPositive)).map(([name]) => name);
}

/** Cases with the same text do the same work: the same benchmark with the same parameters, wherever it runs. */
export function workOf(key) {
  return JSON.stringify([key.benchmark, Object.entries(key.params ?? {}).sort()]);
}

/** Kind of a device. // eg: "cuda" */
export function kindOf(device) {
  return (device ?? "").split(":")[0];
}
