// One benchmark over all runs: where its level changed, and what changed around it.

import { html, useState } from "../ui.js";
import { ask, renew, useData } from "../api.js";
import { useMay } from "../caller.js";
import { HistoryChart } from "../charts/lines.js";
import { better, clock, keyOf, measured, plural, quantity, short } from "../format.js";
import { Action, Answer, Choice, Empty, Shift } from "../parts.js";
import { Samples, isSampled } from "../samples.js";
import { link, set, useAddress } from "../state.js";

/** Charts on one page. */
const MOST_CHARTS = 8;

export function History() {
  const state = useAddress();
  const metric = state.metric ?? "time";
  const list = useData(`api/series?metric=${encodeURIComponent(metric)}&recent=1`);
  const names = [...new Set((list.data?.series ?? []).map((it) => `${it.key.plugin}/${it.key.benchmark}`))].sort();
  const metrics = list.data?.metrics ?? [];
  return html`<h1>History</h1>
    <form class="filters" onSubmit=${(event) => event.preventDefault()}>
      <${Choice} name="benchmark" label="Benchmark" none="choose one" options=${state.benchmark && !names.includes(state.benchmark) ? [state.benchmark, ...names] : names} />
      <${Choice} name="metric" label="Metric" value=${metric} options=${metrics.some((it) => it.name === metric) ? metrics.map((it) => it.name) : [metric, ...metrics.map((it) => it.name)]} />
    </form>
    ${list.error && html`<p class="trouble" role="alert">${list.error.message}</p>`}
    ${state.benchmark
      ? html`<${Benchmark} name=${state.benchmark} metric=${metric} />`
      : html`<${Empty} title="Choose a benchmark"><p>Its history shows each case over all runs, with the runs in which its level changed.</p><//>`}`;
}

function Benchmark({ name, metric }) {
  const found = useData(`api/history/${encodeURIComponent(name)}?metric=${encodeURIComponent(metric)}&points=1000`);
  const state = useAddress();
  return html`<${Answer} of=${found}>
    ${(all) => {
      const chosen = state.case ? all.filter((it) => it.key && keyOf(it.key) === state.case) : all.slice(0, MOST_CHARTS);
      const options = [...new Map(all.filter((it) => it.key).map((it) => [keyOf(it.key), it.label]))];
      return html`<div class="filters"><${Choice} name="case" label="Case" none=${`the first ${Math.min(all.length, MOST_CHARTS)} of ${all.length}`} options=${options} /></div>
        ${chosen.length === 0 && html`<${Empty} title="This case has no results in this metric"><p><a href=${link({ ...state, case: "" })}>Show the other cases.</a></p><//>`}
        ${chosen.map((series) => html`<${Case} key=${(series.key ? keyOf(series.key) : series.label) + series.machine} name=${name} series=${series} />`)}`;
    }}
  <//>`;
}

const WHAT = { dyno: "dyno", kernel: "kernel", governor: "governor", plugin_version: "plugin version", plugin_build: "plugin file" };

function Case({ name, series }) {
  const state = useAddress();
  const zoom = state.zoom ? state.zoom.split("-").map(Number) : undefined;
  const isZoomed = zoom?.length === 2 && zoom.every(Number.isFinite);
  const { points, changes, marks = [] } = series;
  const picked = points.find((point) => point.run === state.point);
  const last = points.at(-1);
  return html`<section class="card">
    <h2>${series.label}</h2>
    <p class="muted">
      ${series.metric}, ${better(series.better)}; ${plural(series.points_total || points.length, "run")} on machine ${series.machine}${series.points_total > points.length ? `, ${points.length} drawn` : ""}; newest ${measured(last.median, last.interval, series.unit)}
    </p>
    <${HistoryChart} series=${series} zoom=${isZoomed ? zoom : undefined} shown=${picked ? [picked.run] : []} onZoom=${(range) => set({ zoom: range.join("-") }, { replace: true })} onPick=${(point) => set({ point: point.run })} />
    <p class="hint muted">Drag to zoom, choose a point to look into it.${isZoomed && html` <button onClick=${() => set({ zoom: "" })}>Show all runs</button>`}</p>
    ${changes.length > 0 && html`<${Changes} name=${name} series=${series} />`}
    ${marks.length > 0 &&
    html`<details>
      <summary>${plural(marks.length, "change")} around the code (dotted lines)</summary>
      <table>
        <thead><tr><th scope="col">Since run</th><th scope="col">What</th><th scope="col">Before</th><th scope="col">After</th></tr></thead>
        <tbody>
          ${marks.slice(-50).map((mark) => html`<tr key=${mark.run + mark.what}><td><a href=${link({ view: "run", run: mark.run })}>${short(mark.run)}</a></td><td>${WHAT[mark.what] ?? mark.what}</td><td>${mark.before}</td><td>${mark.after}</td></tr>`)}
        </tbody>
      </table>
    </details>`}
    <details>
      <summary>The newest runs as a table</summary>
      <table>
        <thead><tr><th scope="col">Run</th><th scope="col">Accepted</th><th scope="col" class="number">Median</th><th scope="col">Commit</th></tr></thead>
        <tbody>
          ${points.slice(-50).toReversed().map((point) => html`<tr key=${point.run + point.case}><td><button class="row-toggle" onClick=${() => set({ point: point.run })}>${short(point.run)}</button></td><td>${clock(point.created_at)}</td><td class="number">${measured(point.median, point.interval, series.unit)}</td><td>${point.source ? point.source.commit.slice(0, 12) : html`<span class="muted">–</span>`}</td></tr>`)}
        </tbody>
      </table>
    </details>
    ${picked && html`<${Point} series=${series} point=${picked} />`}
  </section>`;
}

function Changes({ name, series }) {
  const may = useMay("run");
  return html`<table>
    <caption>
      Changes of level
    </caption>
    <thead><tr><th scope="col">Since run</th><th scope="col">Change</th><th scope="col" class="number">Before</th><th scope="col" class="number">After</th><th scope="col">State</th></tr></thead>
    <tbody>
      ${series.changes.toReversed().map(
        (change) => html`<tr key=${change.run}>
          <td><a href=${link({ view: "run", run: change.run })}>${short(change.run)}</a></td>
          <td><${Shift} of=${change} /></td>
          <td class="number">${quantity(change.before, series.unit)}</td>
          <td class="number">${quantity(change.after, series.unit)}</td>
          <td>${change.accepted !== undefined ? html`accepted${change.accepted && `: ${change.accepted}`}` : may ? html`<${Accept} name=${name} change=${change} />` : "open"}</td>
        </tr>`,
      )}
    </tbody>
  </table>`;
}

function Accept({ name, change }) {
  const [note, setNote] = useState("");
  const accept = async () => {
    await ask(`api/history/${encodeURIComponent(name.split("/").at(-1))}/accept`, { method: "POST", body: { run_id: change.run, note } });
    renew();
  };
  return html`<span class="inline"><input aria-label="Why the change is accepted" placeholder="reason" value=${note} onInput=${(event) => setNote(event.target.value)} /> <${Action} act=${accept}>Accept<//></span>`;
}

function Point({ series, point }) {
  const place = series.points.indexOf(point);
  const before = series.points[place - 1];
  const hasSamples = isSampled(series.metric);
  const found = useData(hasSamples ? `api/runs/${point.run}/cases/${point.case}/distribution?metric=${series.metric}&points=201&columns=600` : null);
  return html`<div class="unfolded">
    <h2>Run ${short(point.run)}, ${clock(point.created_at)}</h2>
    <p>
      ${measured(point.median, point.interval, series.unit)} · <a href=${link({ view: "run", run: point.run })}>the run</a>
      ${before && html` · <a href=${link({ view: "compare", baseline: before.run, candidate: point.run })}>compare with the run before</a>`} · <button onClick=${() => set({ point: "" })}>Close</button>
    </p>
    ${hasSamples &&
    html`<${Answer} of=${found}>
      ${(distribution) =>
        distribution.samples === 0
          ? html`<p class="muted">This result has no stored samples.</p>`
          : html`<${Samples} distribution=${distribution} metric=${series.metric} unit=${series.unit} />`}
    <//>`}
  </div>`;
}
