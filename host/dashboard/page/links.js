// Addresses and command lines of a case.

import { keyOf } from "./format.js";
import { link } from "./state.js";

/** The address of the history of a case. */
export function historyOf(key, metric) {
  return link({ view: "history", benchmark: `${key.plugin}/${key.benchmark}`, metric: metric === "time" ? "" : metric, case: keyOf(key) });
}

/** The command line that measures a result's case on the server's machine. */
export function command(row) {
  const quote = (text) => (/^[\w./:@=+-]+$/.test(text) ? text : `'${String(text).replaceAll("'", "'\\''")}'`);
  const values = Object.entries(row.params).map(([name, value]) => `-p ${quote(`${name}=${value}`)}`);
  const engine = row.kind === "wasm" ? ["--engine wasm"] : [];
  return ["dyno run", quote(`${row.plugin}@${row.version}/${row.benchmark}`), ...values, `--hardware ${quote(row.device)}`, ...engine].join(" ");
}
