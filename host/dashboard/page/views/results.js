// The newest result of every case: as a table, as a heatmap over hardware, and below the roofline of a device.

import { html, useMemo } from "../ui.js";
import { download, useData } from "../api.js";
import { Roofline } from "../charts/lines.js";
import { better, clock, digits, keyOf, measured, params, plural, quantity, short } from "../format.js";
import { chosen, facet } from "../facets.js";
import { historyOf } from "../links.js";
import { namer } from "../naming.js";
import { Action, Answer, Choice, Empty, Table, TextChoice } from "../parts.js";
import { link, useAddress } from "../state.js";

/** Rows of the heatmap. */
const MOST_ROWS = 300;

const SHOWN = [
  ["", "Table"],
  ["heatmap", "Heatmap"],
  ["roofline", "Roofline"],
];

export function Results() {
  const state = useAddress();
  const metric = state.metric ?? "time";
  const found = useData(`api/series?metric=${encodeURIComponent(metric)}&recent=1&limit=5000`);
  return html`<h1>Results</h1>
    <nav class="tabs" aria-label="Kinds of results">
      ${SHOWN.map(([id, title]) => html`<a key=${id} href=${link({ ...state, show: id })} aria-current=${(state.show ?? "") === id ? "page" : undefined}>${title}</a>`)}
    </nav>
    <${Answer} of=${found}>${(list) => html`<${Shown} list=${list} metric=${metric} />`}<//>`;
}

function Shown({ list, metric }) {
  const state = useAddress();
  const all = list.series;
  const shown = useMemo(() => chosen(all, state), [all, state]);
  if (!list.metrics.length) return html`<${Empty} title="No results yet"><p><a href=${link({ view: "live", start: 1 })}>Start a run.</a></p><//>`;
  return html`<form class="filters" onSubmit=${(event) => event.preventDefault()} aria-label="Filters">
      ${state.show !== "roofline" && html`<${Choice} name="metric" label="Metric" value=${metric} options=${list.metrics.map((it) => [it.name, `${it.name}${it.unit ? ` [${it.unit}]` : ""}`])} />`}
      <${Choice} name="benchmark" label="Benchmark" none="all" options=${facet(all, state, "benchmark")} />
      <${Choice} name="plugin" label="Plugin" none="all" options=${facet(all, state, "plugin")} />
      <${Choice} name="device" label="Hardware" none="all" options=${facet(all, state, "device")} />
      <${Choice} name="category" label="Family" none="all" options=${facet(all, state, "category")} />
      <${TextChoice} name="q" label="Case" placeholder="name or parameter" />
    </form>
    ${list.truncated && html`<p class="note">There are more cases than the ${all.length} listed, which have the newest results.</p>`}
    ${shown.length === 0
      ? html`<${Empty} title="No case matches these filters"><p><a href=${link({ view: "results", show: state.show })}>Remove the filters.</a></p><//>`
      : state.show === "heatmap"
        ? html`<${Heatmap} series=${shown} metric=${metric} />`
        : state.show === "roofline"
          ? html`<${Rooflines} shown=${shown} />`
          : html`<${List} series=${shown} metric=${metric} />`}`;
}

function List({ series, metric }) {
  const state = useAddress();
  const columns = [
    { id: "benchmark", title: "Benchmark", value: (it) => it.key.benchmark, cell: (it) => html`<a href=${historyOf(it.key, metric)}>${it.key.benchmark}</a>` },
    { id: "params", title: "Parameters", value: (it) => params(it.key.params), cell: (it) => html`<span class="muted">${params(it.key.params)}</span>` },
    { id: "plugin", title: "Plugin", value: (it) => it.key.plugin, cell: (it) => `${it.key.plugin} ${it.version}` },
    { id: "engine", title: "Engine", value: (it) => it.key.engine, cell: (it) => it.key.engine },
    { id: "device", title: "Device", value: (it) => it.key.device, cell: (it) => it.key.device },
    { id: "value", title: metric, isNumber: true, value: (it) => it.newest.median, cell: (it) => measured(it.newest.median, it.newest.interval, it.unit) },
    { id: "run", title: "Run", value: (it) => it.newest.created_at, cell: (it) => html`<a href=${link({ view: "run", run: it.newest.run })} title=${clock(it.newest.created_at)}>${short(it.newest.run)}</a>` },
  ];
  const query = new URLSearchParams({ metric, limit: 100_000 });
  for (const name of ["benchmark", "plugin", "device"]) if (state[name]) query.set(name, state[name]);
  const get = (format) => () => download(`api/results?${query}&format=${format}`, `dyno-results.${format}`);
  return html`<div class="actions">
      <span>Results of all runs with these filters:</span>
      <${Action} act=${get("csv")}>CSV<//> <${Action} act=${get("json")}>JSON<//> <${Action} act=${get("parquet")}>Parquet<//>
    </div>
    <${Table} name="t" caption=${`${plural(series.length, "case")}, newest ${metric}, ${better(series[0].better)}`} columns=${columns} rows=${series} rowKey=${(it) => keyOf(it.key) + it.machine} />`;
}

/** Benchmarks by hardware. Colours compare within a row, from the best to the worst value in it; the numbers are in the cells. */
function Heatmap({ series, metric }) {
  const name = namer(series.map((it) => it.key));
  const placeOf = (it) => `${it.key.device}, ${it.key.engine}`;
  const places = [...new Set(series.map(placeOf))].sort();
  const rows = [...Map.groupBy(series, (it) => name(it.key, { withPlace: false }))].toSorted(([a], [b]) => a.localeCompare(b, undefined, { numeric: true })).slice(0, MOST_ROWS);
  return html`${rows.length === MOST_ROWS && html`<p class="note">The first ${MOST_ROWS} cases by name. Filter to see others.</p>`}
    <p class="muted">${metric}, ${better(series[0].better)}. The best cell of a row is marked ★; the more colour, the closer to it.</p>
    <div class="table-box" tabindex="0" role="region" aria-label="Heatmap">
      <table class="heatmap">
        <thead><tr><th scope="col">Case</th>${places.map((place) => html`<th scope="col" key=${place}>${place}</th>`)}</tr></thead>
        <tbody>
          ${rows.map(([title, found]) => {
            const isHigher = found[0].better === "higher";
            const values = found.map((it) => it.newest.median);
            const best = isHigher ? Math.max(...values) : Math.min(...values);
            const cell = (place) => {
              const it = found.find((one) => placeOf(one) === place);
              if (!it) return html`<td key=${place} class="number muted">–</td>`;
              const value = it.newest.median;
              const share = isHigher ? value / best : best / value;
              const step = Number.isFinite(share) ? Math.max(0, Math.min(5, Math.round(share * 5))) : 0;
              return html`<td key=${place} class=${`number heat-${step}`} title=${`${digits(share * 100)} % of the best`}><a href=${historyOf(it.key, metric)}>${quantity(value, it.unit)}</a>${value === best && found.length > 1 ? " ★" : ""}</td>`;
            };
            return html`<tr key=${title}><th scope="row">${title}</th>${places.map(cell)}</tr>`;
          })}
        </tbody>
      </table>
    </div>`;
}

function Rooflines({ shown }) {
  const flops = useData("api/series?metric=flop_per_second&recent=1&limit=5000");
  const bytes = useData("api/series?metric=bytes_per_second&recent=1&limit=5000");
  return html`<${Answer} of=${flops}>
    ${(found) =>
      html`<${Answer} of=${bytes}>${(traffic) => html`<${Roofs} flops=${found.series} bytes=${traffic.series} wanted=${new Set(shown.map((it) => keyOf(it.key)))} />`}<//>`}
  <//>`;
}

/** One chart per device: its ceilings are the best that our own triad and gemm reached on it. */
function Roofs({ flops, bytes, wanted }) {
  const traffic = new Map(bytes.map((it) => [keyOf(it.key) + it.machine, it]));
  const devices = [...Map.groupBy(flops, (it) => it.key.device)];
  const name = namer(flops.map((it) => it.key));
  const charts = devices
    .map(([device, found]) => {
      const best = (list, benchmark) => Math.max(0, ...list.filter((it) => it.key.device === device && benchmark.test(it.key.benchmark)).map((it) => it.newest.median));
      const points = found.flatMap((it) => {
        const other = traffic.get(keyOf(it.key) + it.machine);
        if (!other || !wanted.has(keyOf(it.key)) || !(it.newest.median > 0) || !(other.newest.median > 0)) return [];
        return [{ name: name(it.key), flops: it.newest.median, intensity: it.newest.median / other.newest.median }];
      });
      return { device, points, bandwidth: best(bytes, /triad|^copy$/), peak: best(flops, /^gemm/) };
    })
    .filter((it) => it.points.length);
  if (!charts.length) return html`<${Empty} title="No case reports both arithmetic and traffic"><p>A roofline needs benchmarks that report FLOP and bytes, such as <code>gemm</code> and <code>stream_triad</code>.</p><//>`;
  return charts.map(
    (it) => html`<section class="card" key=${it.device}>
      <h2>${it.device}</h2>
      <p class="muted">
        ${it.bandwidth ? `Bandwidth ${quantity(it.bandwidth, "bytes/s")}, measured by triad or copy` : "No ceiling for the bandwidth: run stream_triad"};
        ${it.peak ? ` arithmetic ${quantity(it.peak, "FLOP/s")}, measured by gemm.` : " no ceiling for arithmetic: run gemm."}${" "}
        Caches are faster than memory, so a case that fits into them may lie above the slope.
      </p>
      <${Roofline} points=${it.points} bandwidth=${it.bandwidth || null} peak=${it.peak || null} />
      <details>
        <summary>The points as a table</summary>
        <table>
          <thead><tr><th scope="col">Case</th><th scope="col" class="number">Intensity [FLOP/byte]</th><th scope="col" class="number">Performance</th></tr></thead>
          <tbody>${it.points.map((point) => html`<tr key=${point.name}><td>${point.name}</td><td class="number">${digits(point.intensity)}</td><td class="number">${quantity(point.flops, "FLOP/s")}</td></tr>`)}</tbody>
        </table>
      </details>
    </section>`,
  );
}
