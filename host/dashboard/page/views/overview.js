// What ran lately, how the machine is, and the newest results at a glance.

import { html, useMemo } from "../ui.js";
import { useData } from "../api.js";
import { Bars } from "../charts/bars.js";
import { Scaling } from "../charts/lines.js";
import { Spark } from "../charts/spark.js";
import { better, digits, keyOf, measured, plural, quantity, short } from "../format.js";
import { useLive } from "../live.js";
import { chosen, counted, facet } from "../facets.js";
import { historyOf } from "../links.js";
import { namer, numericParams, workOf } from "../naming.js";
import { Answer, Choice, Empty, Shift, State, TextChoice, Time } from "../parts.js";
import { scalingLines, usualParameter } from "../scaling.js";
import { link, useAddress } from "../state.js";

/** Sparklines on one page. */
const MOST_SPARKS = 48;
/** Lines in one chart: more cannot be told apart. */

export function Overview() {
  const state = useAddress();
  const metric = state.metric ?? "time";
  const runs = useData("api/runs?limit=8");
  const series = useData(`api/series?metric=${encodeURIComponent(metric)}`);
  return html`<h1>Overview</h1>
    <div class="cards">
      <${Headline} series=${series.data} />
      <${Machine} />
    </div>
    <section>
      <h2>Latest runs</h2>
      <${Answer} of=${runs}>${(found) => html`<${LatestRuns} runs=${found} />`}<//>
    </section>
    <${Answer} of=${series}>${(found) => html`<${Measurements} list=${found} metric=${metric} />`}<//>`;
}

function Headline({ series }) {
  const { queue } = useLive();
  const alerts = series?.series.filter((it) => it.change?.verdict === "regressed") ?? [];
  const items = [
    [queue ? String(queue.running.length) : "–", "running", link({ view: "live" })],
    [queue ? String(queue.waiting.length) : "–", "waiting", link({ view: "live" })],
    [series ? String(series.series.length) : "–", "cases with results", link({ view: "results" })],
    [series ? String(alerts.length) : "–", "open regressions", "#alerts"],
  ];
  return html`<section class="card">
    <h2>Now</h2>
    <dl class="figures">
      ${items.map(([figure, what, href]) => html`<div key=${what}><dt><a href=${href}>${what}</a></dt><dd>${figure}</dd></div>`)}
    </dl>
  </section>`;
}

function Machine() {
  const devices = useData("api/devices");
  const leases = useData("api/leases");
  return html`<section class="card">
    <h2>Machine</h2>
    <${Answer} of=${devices}>
      ${({ machine, devices }) => {
        const usable = devices.filter((it) => !it.unavailable);
        return html`<p>${machine.hostname}: ${machine.cpu.model}, ${plural(machine.cpu.cores, "core")}, ${quantity(machine.memory_bytes, "bytes")}, ${machine.os}</p>
          <ul class="plain">
            ${usable.map(
              (it) => html`<li key=${it.name}>
                <strong>${it.name}</strong> ${it.model}${it.software && html` <span class="state wait">software</span>`}${" "}
                <${Holder} leases=${leases.data ?? []} device=${it} />
              </li>`,
            )}
          </ul>
          <p><a href=${link({ view: "plugins" })}>${plural(devices.length - usable.length, "kind of device", "kinds of device")} not usable here: why</a></p>`;
      }}
    <//>
  </section>`;
}

function Holder({ leases, device }) {
  const lease = leases.find((it) => it.resource === device.name || it.resource === device.pci);
  if (!lease?.holders.length) return html`<span class="muted">free</span>`;
  return html`<span class="muted">held by ${lease.holders.join("; ")}${lease.waiting.length > 0 && `, ${lease.waiting.length} waiting`}</span>`;
}

function LatestRuns({ runs }) {
  if (!runs.length) {
    return html`<${Empty} title="Nothing has run yet">
      <p><a href=${link({ view: "live" })}>Start a run</a>, or type <code>dyno run</code> on this machine.</p>
    <//>`;
  }
  return html`<div class="table-box" tabindex="0" role="region" aria-label="Latest runs">
    <table>
      <thead>
        <tr><th scope="col">Run</th><th scope="col">Accepted</th><th scope="col">Status</th><th scope="col" class="number">Cases</th><th scope="col" class="number">With result</th><th scope="col" class="number">Failed</th><th scope="col">Tags</th></tr>
      </thead>
      <tbody>
        ${runs.map(
          (run) => html`<tr key=${run.id}>
            <td><a href=${link({ view: "run", run: run.id })}>${run.suite ?? short(run.id)}</a></td>
            <td><${Time} at=${run.created_at} /></td>
            <td><${State} of=${run.status} /></td>
            <td class="number">${run.cases}</td>
            <td class="number">${run.with_result}</td>
            <td class="number">${run.failed || html`<span class="muted">0</span>`}</td>
            <td>${run.tags.map((tag) => html`<a class="tag" key=${tag} href=${link({ view: "runs", tag })}>${tag}</a> `)}</td>
          </tr>`,
        )}
      </tbody>
    </table>
  </div>`;
}

function Measurements({ list, metric }) {
  const state = useAddress();
  const all = list.series;
  const shown = useMemo(() => chosen(all, state), [all, state]);
  if (!list.metrics.length) {
    return html`<${Empty} title="No results yet"><p>Charts appear here when the first run has a result.</p><//>`;
  }
  const name = namer(all.map((it) => it.key));
  return html`<form class="filters" onSubmit=${(event) => event.preventDefault()} aria-label="Filters">
      <${Choice} name="metric" label="Metric" value=${metric} options=${list.metrics.map((it) => [it.name, `${it.name}${it.unit ? ` [${it.unit}]` : ""}`])} />
      <${Choice} name="device" label="Hardware" none="all" options=${facet(all, state, "device")} />
      <${Choice} name="engine" label="Engine" none="all" options=${facet(all, state, "engine")} />
      <${Choice} name="category" label="Family" none="all" options=${facet(all, state, "category")} />
      <${TextChoice} name="q" label="Benchmark" placeholder="name or parameter" />
    </form>
    ${list.truncated && html`<p class="note">There are more cases than the ${all.length} shown, which have the newest results.</p>`}
    ${shown.length === 0
      ? html`<${Empty} title="No case matches these filters"><p><a href=${link({ metric: state.metric })}>Remove the filters.</a></p><//>`
      : html`<${Alerts} series=${all} name=${name} metric=${metric} />
          <div class="cards">
            <${Hardware} series=${shown} name=${name} metric=${metric} />
            <${Top} series=${shown} name=${name} metric=${metric} />
          </div>
          <${ScalingCard} series=${shown} metric=${metric} />
          <${Grid} series=${shown} name=${name} metric=${metric} />`}`;
}

function Alerts({ series, name, metric }) {
  const open = series.filter((it) => it.change).toSorted((a, b) => Math.abs(b.change.effect ?? 0) - Math.abs(a.change.effect ?? 0));
  const worse = open.filter((it) => it.change.verdict === "regressed");
  return html`<section id="alerts">
    <h2>Open changes of level</h2>
    ${open.length === 0
      ? html`<p class="muted">No case has a change of level that was not accepted, among ${plural(Math.max(...series.map((it) => it.recent.length)), "newest run")}.</p>`
      : html`<p>${plural(worse.length, "regression")}, ${plural(open.length - worse.length, "improvement")} among the newest runs of ${plural(series.length, "case")}${open.length > 10 ? "; the ten largest are listed" : ""}.</p>
          <ul class="plain alerts">
            ${open.slice(0, 10).map(
              (it) => html`<li key=${keyOf(it.key) + it.machine}>
                <${Shift} of=${it.change} />
                ${" "}<a href=${historyOf(it.key, metric)}>${name(it.key)}</a>${" "}
                <span class="muted">since run ${short(it.change.run)}</span>
              </li>`,
            )}
          </ul>`}
  </section>`;
}

/** One case on every device and engine that has a result of it. */
function Hardware({ series, name, metric }) {
  const state = useAddress();
  const groups = useMemo(() => {
    const found = Map.groupBy(series, (it) => workOf(it.key));
    return [...found].toSorted(([, a], [, b]) => b.length - a.length);
  }, [series]);
  const group = groups.find(([id]) => id === state.hardware) ?? groups[0];
  const [, rows] = group;
  const options = groups.slice(0, 200).map(([id, rows]) => [id, `${name(rows[0].key, { withPlace: false })} (${rows.length})`]);
  return html`<section class="card wide">
    <h2>Hardware comparison</h2>
    <${Choice} name="hardware" label="Case" value=${group[0]} options=${options} />
    <${Bars}
      direction=${rows[0].better}
      caption=${`Newest ${metric}, ${better(rows[0].better)}; the line is the confidence interval`}
      rows=${rows.map((it) => ({ id: keyOf(it.key) + it.machine, name: `${it.key.device}, ${it.key.engine}`, note: it.key.plugin, value: it.newest.median, interval: it.newest.interval, unit: it.unit, href: historyOf(it.key, metric) }))}
    />
  </section>`;
}

/** The ten best cases. Cases of different benchmarks do different work, so one benchmark or family is compared at a time. */
function Top({ series, name, metric }) {
  const state = useAddress();
  const names = counted(series, (it) => it.key.benchmark);
  const most = [...Map.groupBy(series, (it) => it.key.benchmark)].toSorted(([, a], [, b]) => b.length - a.length)[0][0];
  const benchmark = names.some(([known]) => known === state.top) ? state.top : most;
  const rows = series.filter((it) => it.key.benchmark === benchmark);
  const direction = rows[0].better;
  const best = rows.toSorted((a, b) => (direction === "higher" ? b.newest.median - a.newest.median : a.newest.median - b.newest.median)).slice(0, 10);
  return html`<section class="card wide">
    <h2>Best ten</h2>
    <${Choice} name="top" label="Benchmark" value=${benchmark} options=${names} />
    <${Bars}
      direction=${direction}
      caption=${`Newest ${metric}, ${better(direction)}`}
      rows=${best.map((it) => ({ id: keyOf(it.key) + it.machine, name: name(it.key), value: it.newest.median, interval: it.newest.interval, unit: it.unit, href: historyOf(it.key, metric) }))}
    />
  </section>`;
}

function ScalingCard({ series, metric }) {
  const state = useAddress();
  const benchmarks = useMemo(() => [...Map.groupBy(series, (it) => it.key.benchmark)].map(([name, rows]) => [name, numericParams(rows.map((it) => it.key)), rows]).filter(([, params]) => params.length), [series]);
  if (!benchmarks.length) return null;
  const [benchmark, params, rows] = benchmarks.find(([name]) => name === state.scaling) ?? benchmarks[0];
  const parameter = params.includes(state.by) ? state.by : usualParameter(params);
  const lines = scalingLines(rows, parameter);
  return html`<section class="card wide">
    <h2>Scaling</h2>
    <div class="filters">
      <${Choice} name="scaling" label="Benchmark" value=${benchmark} options=${benchmarks.map(([name]) => name)} />
      <${Choice} name="by" label="Parameter" value=${parameter} options=${params} />
    </div>
    ${lines.length ? html`<${Scaling} lines=${lines} parameter=${parameter} metric=${metric} unit=${rows[0].unit} />` : html`<p class="muted">No variant of ${benchmark} has results for two values of ${parameter}.</p>`}
  </section>`;
}

function Grid({ series, name, metric }) {
  const shown = series.slice(0, MOST_SPARKS);
  return html`<section>
    <h2>Recent runs of each case</h2>
    <div class="sparks">
      ${shown.map((it) => {
        const change = it.change;
        return html`<a class="spark-card" key=${keyOf(it.key) + it.machine} href=${historyOf(it.key, metric)}>
          <span class="name">${name(it.key)}</span>
          <${Spark} values=${it.recent} change=${change?.index} worse=${change?.verdict === "regressed"} />
          <span class="value">${measured(it.newest.median, it.newest.interval, it.unit)}</span>
          ${change && html`<span class=${change.verdict === "regressed" ? "bad" : "good"}>${change.verdict === "regressed" ? "worse" : "better"} by ${digits(Math.abs(change.effect ?? 0) * 100)} %</span>`}
        </a>`;
      })}
    </div>
    ${series.length > MOST_SPARKS && html`<p class="note">The ${MOST_SPARKS} cases with the newest results of ${series.length}. Filter to see others, or open <a href=${link({ view: "results", metric: metric === "time" ? "" : metric })}>all results</a>.</p>`}
  </section>`;
}
