// Numbers, times and names as people read them. Every value carries its unit.

const SI = ["", "k", "M", "G", "T", "P", "E"];
const BINARY = ["", "Ki", "Mi", "Gi", "Ti", "Pi", "Ei"];
const TIMES = [
  ["ns", 1],
  ["µs", 1e3],
  ["ms", 1e6],
  ["s", 1e9],
  ["min", 60e9],
  ["h", 3600e9],
];

/** The step in which a value of this unit is shown: divisor and name. */
export function scaleOf(value, unit) {
  const size = Math.abs(value);
  if (unit === "ns") {
    const [name, by] = TIMES.filter(([, by]) => size >= by).at(-1) ?? TIMES[0];
    return { by, name };
  }
  if (unit === "ms" || unit === "s") return scaleOf(value, "ns").by && { by: 1, name: unit };
  const [base, steps] = unit?.startsWith("bytes") ? [1024, BINARY] : [1000, SI];
  const word = unit?.startsWith("bytes") ? unit.replace("bytes", "B") : (unit ?? "");
  const isPlain = word === "" || word === "%";
  let place = isPlain ? 0 : Math.floor(Math.log(size || 1) / Math.log(base));
  place = Math.min(Math.max(place, 0), steps.length - 1);
  // Units that plugins invent get no prefix: "kframes²" would be a guess.
  if (/^(B|FLOP|items|Hz|W|J)/.test(word)) return { by: base ** place, name: `${steps[place]}${word}` };
  return { by: 1, name: word };
}

/** Three significant digits, without an exponent where it can be avoided. */
export function digits(value, count = 3) {
  if (value === 0) return "0";
  if (!Number.isFinite(value)) return "–";
  const size = Math.abs(value);
  if (size >= 1e15 || size < 1e-6) return value.toExponential(count - 1);
  if (size >= 10 ** count) return grouped(Math.round(value));
  return String(Number(value.toPrecision(count)));
}

function grouped(value) {
  if (Math.abs(value) < 10_000) return String(value);
  return String(value).replace(/\B(?=(\d{3})+(?!\d))/g, "\u202f");
}

/** A value with its unit. */
export function quantity(value, unit) {
  if (value === null || value === undefined || !Number.isFinite(value)) return "–";
  const { by, name } = scaleOf(value, unit);
  return name ? `${digits(value / by)} ${name}` : digits(value);
}

/** A value with its interval. // eg: "12.3 ± 0.4 µs" */
export function measured(value, interval, unit) {
  if (!interval || !Number.isFinite(value)) return quantity(value, unit);
  const { by, name } = scaleOf(value, unit);
  const half = Math.max(interval.high - value, value - interval.low) / by;
  // As many decimals as two digits of the half-width have: more would not be known.
  const decimals = half > 0 ? Math.min(6, Math.max(0, 1 - Math.floor(Math.log10(half)))) : 2;
  const fixed = (number) => (Math.abs(number) >= 1e4 ? digits(number) : number.toFixed(decimals));
  return `${fixed(value / by)} ± ${half > 0 ? fixed(half) : "0"}${name ? ` ${name}` : ""}`;
}

/** A share as a percentage. */
export function percent(share, { sign = false } = {}) {
  if (share === null || share === undefined || !Number.isFinite(share)) return "–";
  const size = Math.abs(share * 100);
  const text = size >= 1000 ? digits(size) : size >= 100 ? size.toFixed(0) : size >= 10 ? size.toFixed(1) : size.toFixed(2);
  const mark = share < 0 ? "−" : sign ? "+" : "";
  return `${mark}${text} %`;
}

/** An effect with its interval, in percent. // eg: "+9.8 % [+9.1, +10.4]" */
export function effect(metric) {
  if (metric.effect === undefined || metric.effect === null) return "–";
  const { low, high } = metric.interval ?? {};
  const ends = metric.interval ? ` [${percent(low, { sign: true }).replace(" %", "")}, ${percent(high, { sign: true }).replace(" %", "")}]` : "";
  return `${percent(metric.effect, { sign: true })}${ends}`;
}

/** How long something lasts [s]. */
export function duration(seconds) {
  if (seconds === null || seconds === undefined || !Number.isFinite(seconds)) return "–";
  if (seconds < 1) return `${Math.max(0, Math.round(seconds * 1000))} ms`;
  if (seconds < 60) return `${seconds.toFixed(seconds < 10 ? 1 : 0)} s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return `${minutes} min ${Math.round(seconds % 60)} s`;
  return `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}

/** A point in time as the reader's clock shows it. */
export function clock(text) {
  const time = new Date(text);
  if (Number.isNaN(time.getTime())) return "–";
  const two = (number) => String(number).padStart(2, "0");
  return `${time.getFullYear()}-${two(time.getMonth() + 1)}-${two(time.getDate())} ${two(time.getHours())}:${two(time.getMinutes())}`;
}

/** How long ago. */
export function ago(text, now = Date.now()) {
  const seconds = (now - new Date(text).getTime()) / 1000;
  if (!Number.isFinite(seconds)) return "–";
  if (seconds < 10) return "just now";
  if (seconds < 90) return `${Math.round(seconds)} s ago`;
  if (seconds < 5400) return `${Math.round(seconds / 60)} min ago`;
  if (seconds < 129_600) return `${Math.round(seconds / 3600)} h ago`;
  return `${Math.round(seconds / 86_400)} days ago`;
}

/** A run's identifier, as short as it stays unique among those of a few days. */
export function short(run) {
  return run && run.length > 13 ? `${run.slice(0, 8)}…${run.slice(-4)}` : (run ?? "");
}

/** Parameters on one line. // eg: "n=256 dtype=f32" */
export function params(values) {
  return Object.entries(values ?? {})
    .map(([name, value]) => `${name}=${value}`)
    .join(" ");
}

/** A case in one line: benchmark and parameters. */
export function caseName(key) {
  const text = params(key.params);
  return text ? `${key.benchmark} ${text}` : key.benchmark;
}

/** Where a case runs. // eg: "wasm, cpu" */
export function place(key) {
  return [key.engine, key.device].filter(Boolean).join(", ");
}

/** What identifies a case on this page. */
export function keyOf(key) {
  const values = Object.entries(key.params ?? {})
    .map(([name, value]) => [name, String(value)])
    .sort(([a], [b]) => (a < b ? -1 : 1));
  return JSON.stringify([key.plugin ?? "", key.benchmark, key.engine ?? "", key.device ?? "", values]);
}

export function better(direction) {
  return direction === "higher" ? "higher is better" : "lower is better";
}

export function plural(count, word, words = `${word}s`) {
  return `${count} ${count === 1 ? word : words}`;
}
