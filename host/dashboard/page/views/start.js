// The form that starts a run, made from what the plugins say of themselves.

import { html, useMemo, useState } from "../ui.js";
import { ask, useData } from "../api.js";
import { plural } from "../format.js";
import { refresh } from "../live.js";
import { Answer, Empty } from "../parts.js";
import { link, set, useAddress } from "../state.js";

export function StartForm() {
  const state = useAddress();
  const catalog = useData(state.start === "1" ? "api/catalog" : null);
  const devices = useData(state.start === "1" ? "api/devices" : null);
  const isOpen = state.start === "1";
  return html`<section class="card">
    <h2><button class="row-toggle" aria-expanded=${isOpen} onClick=${() => set({ start: isOpen ? "" : "1" })}>Start a run</button></h2>
    ${isOpen && html`<${Answer} of=${catalog}>${(found) => html`<${Answer} of=${devices}>${({ devices }) => html`<${Form} catalog=${found} devices=${devices} />`}<//>`}<//>`}
  </section>`;
}

/** Benchmarks by plugin and name; builds of one plugin (native, WASM) are one entry. */
function benchmarksOf(catalog) {
  const found = new Map();
  for (const entry of catalog.entries.filter((it) => !it.incompatible)) {
    for (const benchmark of entry.descriptor.benchmarks) {
      const id = `${entry.descriptor.plugin.id}/${benchmark.name}`;
      const known = found.get(id) ?? { id, benchmark, kinds: new Set(), hardware: new Set() };
      known.kinds.add(entry.kind);
      benchmark.hardware.forEach((it) => known.hardware.add(it));
      found.set(id, known);
    }
  }
  return [...found.values()].sort((a, b) => (a.id < b.id ? -1 : 1));
}

/** Values as typed: a list is a sweep, `1..64 x2` is not. */
function values(text) {
  return text
    .split(",")
    .map((part) => part.trim())
    .filter(Boolean);
}

/** What is wrong with the values of a parameter; empty if nothing is. */
export function wrong(info, text) {
  for (const value of values(text)) {
    if (info.type === "integer" || info.type === "float") {
      const number = Number(value);
      if (!Number.isFinite(number)) return `${value} is not a number`;
      if (info.type === "integer" && !Number.isInteger(number)) return `${value} is not a whole number`;
      if (info.min !== undefined && info.min !== null && number < info.min) return `${value} is less than ${info.min}, the smallest value`;
      if (info.max !== undefined && info.max !== null && number > info.max) return `${value} is more than ${info.max}, the largest value`;
    }
  }
  return "";
}

function typed(info, text) {
  return values(text).map((value) => {
    if (info.type === "integer" || info.type === "float") return Number(value);
    if (info.type === "boolean" || info.type === "bool") return value === "true";
    return value;
  });
}

function Form({ catalog, devices }) {
  const all = useMemo(() => benchmarksOf(catalog), [catalog]);
  const state = useAddress();
  const [settings, setSettings] = useState({ hardware: [], engine: "auto", rule: "time", launches: "5", seconds: "1", target: "1", samples: "30", priority: "medium", tags: "", scenario: "", qps: "", bound: "10", streams: "8", baseline: "" });
  const [given, setGiven] = useState({});
  const [result, setResult] = useState({});
  const chosen = all.find((it) => it.id === state.what) ?? all[0];
  if (!chosen) return html`<${Empty} title="No plugin is loaded"><p>See <a href=${link({ view: "plugins" })}>plugins</a> for the folders that the server looks into.</p><//>`;
  const change = (name) => (event) => setSettings({ ...settings, [name]: event.target.value });
  const usable = devices.filter((it) => !it.unavailable && chosen.hardware.has(it.kind));
  const hardware = settings.hardware.filter((name) => usable.some((it) => it.name === name));
  const text = (info) => given[`${chosen.id} ${info.name}`] ?? "";
  const faults = chosen.benchmark.params.map((info) => wrong(info, text(info))).filter(Boolean);
  const cases = chosen.benchmark.params.reduce((count, info) => count * Math.max(1, values(text(info)).length), 1) * Math.max(1, hardware.length) * (settings.engine === "all" ? chosen.kinds.size : 1);

  const submit = async (event) => {
    event.preventDefault();
    const filled = chosen.benchmark.params.filter((info) => values(text(info)).length);
    const ns = (seconds) => Math.round(Number(seconds) * 1e9);
    const launches = Number(settings.launches);
    const stop = {
      time: { rule: "time", launches, budget_ns: ns(settings.seconds) },
      samples: { rule: "samples", launches, per_launch: Number(settings.samples) },
      precision: { rule: "precision", target: Number(settings.target) / 100, min_launches: Math.min(launches, 5), max_launches: Math.max(launches, 50), budget_ns: ns(settings.seconds) },
    }[settings.rule];
    const scenario = {
      "": undefined,
      "single-stream": { scenario: "single-stream" },
      "multi-stream": { scenario: "multi-stream", streams: Number(settings.streams) },
      server: { scenario: "server", target_qps: settings.qps ? Number(settings.qps) : undefined, latency_bound_ns: Math.round(Number(settings.bound) * 1e6) },
      offline: { scenario: "offline" },
    }[settings.scenario];
    setResult({ busy: true });
    try {
      const answer = await ask("api/runs", {
        method: "POST",
        body: {
          requests: [
            {
              benchmark: chosen.id,
              params: Object.fromEntries(filled.map((info) => [info.name, typed(info, text(info))])),
              hardware: hardware.length ? hardware : [usable[0]?.name ?? "cpu"],
              engine: settings.engine,
            },
          ],
          stop,
          scenario,
          priority: settings.priority,
          baseline: settings.baseline.trim() || undefined,
          tags: values(settings.tags),
        },
      });
      setResult({ started: answer });
      refresh();
    } catch (error) {
      setResult({ error });
    }
  };

  return html`<form id="start" onSubmit=${submit}>
    <div class="filters">
      <label class="field wide"
        ><span>Benchmark</span>
        <select name="benchmark" value=${chosen.id} onChange=${(event) => set({ what: event.target.value }, { replace: true })}>
          ${all.map((it) => html`<option key=${it.id} value=${it.id}>${it.id}</option>`)}
        </select>
      </label>
      <label class="field"><span>Engine</span><select value=${settings.engine} onChange=${change("engine")}>${["auto", ...chosen.kinds, ...(chosen.kinds.size > 1 ? ["all"] : [])].map((it) => html`<option key=${it} value=${it}>${it}</option>`)}</select></label>
      <label class="field"><span>Priority</span><select value=${settings.priority} onChange=${change("priority")}>${["critical", "high", "medium", "low"].map((it) => html`<option key=${it} value=${it}>${it}</option>`)}</select></label>
    </div>
    <p class="muted">${chosen.benchmark.description}</p>
    <fieldset>
      <legend>Hardware</legend>
      ${usable.length === 0 && html`<p class="trouble">No device of this machine can run it: it needs ${[...chosen.hardware].join(" or ")}. The run would be skipped.</p>`}
      ${usable.map(
        (it, place) => html`<label class="toggle" key=${it.name}
          ><input type="checkbox" checked=${hardware.includes(it.name) || (hardware.length === 0 && place === 0)} onChange=${(event) => setSettings({ ...settings, hardware: event.target.checked ? [...hardware, it.name] : hardware.filter((name) => name !== it.name) })} /> ${it.name} <span class="muted">${it.model}${it.software ? ", software" : ""}</span></label
        >`,
      )}
    </fieldset>
    ${chosen.benchmark.params.length > 0 &&
    html`<fieldset>
      <legend>Parameters</legend>
      <p class="muted">Several values with commas are a sweep. An empty field is the default.</p>
      <div class="filters">
        ${chosen.benchmark.params.map((info) => {
          const fault = wrong(info, text(info));
          const range = [info.min, info.max].every((end) => end !== undefined && end !== null) ? `${info.min} to ${info.max}` : "";
          const input = (event) => setGiven({ ...given, [`${chosen.id} ${info.name}`]: event.target.value });
          return html`<label class="field" key=${info.name} title=${info.description}
            ><span>${info.name}${info.unit ? ` [${info.unit}]` : ""}</span>
            <input name=${`param-${info.name}`} list=${info.choices ? `choices-${info.name}` : undefined} value=${text(info)} placeholder=${String(info.default ?? "")} aria-invalid=${Boolean(fault)} onInput=${input} />
            ${info.choices && html`<datalist id=${`choices-${info.name}`}>${info.choices.map((it) => html`<option key=${it} value=${it} />`)}</datalist>`}
            <small class=${fault ? "bad" : "muted"}>${fault || range || info.choices?.join(", ") || info.type}</small></label
          >`;
        })}
      </div>
    </fieldset>`}
    <fieldset>
      <legend>When to stop</legend>
      <div class="filters">
        <label class="field"><span>Rule</span><select value=${settings.rule} onChange=${change("rule")}><option value="time">after a time</option><option value="samples">after a number of samples</option><option value="precision">at a precision</option></select></label>
        <label class="field"><span>Launches</span><input type="number" min="1" max="1000" value=${settings.launches} onInput=${change("launches")} /></label>
        ${settings.rule !== "samples" && html`<label class="field"><span>${settings.rule === "precision" ? "At most [s]" : "Measuring time [s]"}</span><input type="number" min="0.01" step="any" value=${settings.seconds} onInput=${change("seconds")} /></label>`}
        ${settings.rule === "samples" && html`<label class="field"><span>Samples per launch</span><input type="number" min="1" value=${settings.samples} onInput=${change("samples")} /></label>`}
        ${settings.rule === "precision" && html`<label class="field"><span>Half-width of the interval [%]</span><input type="number" min="0.01" step="any" value=${settings.target} onInput=${change("target")} /></label>`}
        <label class="field"><span>Scenario</span><select value=${settings.scenario} onChange=${change("scenario")}><option value="">plain sampling</option>${["single-stream", "multi-stream", "server", "offline"].map((it) => html`<option key=${it} value=${it}>${it}</option>`)}</select></label>
        ${settings.scenario === "multi-stream" && html`<label class="field"><span>Samples per query</span><input type="number" min="1" value=${settings.streams} onInput=${change("streams")} /></label>`}
        ${settings.scenario === "server" && html`<label class="field"><span>Queries per second</span><input type="number" min="0" step="any" placeholder="find the highest" value=${settings.qps} onInput=${change("qps")} /></label><label class="field"><span>p99 latency bound [ms]</span><input type="number" min="0" step="any" value=${settings.bound} onInput=${change("bound")} /></label>`}
        <label class="field"><span>Compare with baseline</span><input value=${settings.baseline} placeholder="none" onInput=${change("baseline")} /></label>
        <label class="field"><span>Tags</span><input value=${settings.tags} placeholder="with commas" onInput=${change("tags")} /></label>
      </div>
    </fieldset>
    <p>
      <button class="primary" id="start-run" disabled=${result.busy || faults.length > 0}>Start ${plural(cases, "case")}</button>
      ${faults.length > 0 && html` <span class="bad">${faults[0]}</span>`}
      ${result.started && html` <span role="status">Run <a href=${link({ view: "run", run: result.started.id })}>${result.started.id}</a> was accepted.</span>`}
      ${result.error && html` <span class="trouble" role="alert">${result.error.message}</span>`}
    </p>
  </form>`;
}
