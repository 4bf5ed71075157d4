// What runs now, what waits, and the form that starts another run.

import { html } from "../ui.js";
import { ask } from "../api.js";
import { useMay } from "../caller.js";
import { duration, measured, params, plural, quantity, short } from "../format.js";
import { refresh, useLive } from "../live.js";
import { Action, Empty, Progress, State } from "../parts.js";
import { link, useAddress } from "../state.js";
import { StartForm } from "./start.js";

export function Live() {
  const live = useLive();
  const state = useAddress();
  const may = useMay("run");
  const running = [...live.runs.values()].filter((run) => !run.endedAt);
  const ended = [...live.runs.values()].filter((run) => run.endedAt).toSorted((a, b) => b.endedAt - a.endedAt);
  const waiting = live.queue?.waiting ?? [];
  return html`<h1>Live</h1>
    ${may && html`<${StartForm} />`}
    <section>
      <h2>Running</h2>
      ${running.length === 0 ? html`<${Empty} title="Nothing is running">${may ? html`<p>Start a run with the form above, or type <code>dyno run</code> on this machine.</p>` : html`<p>Runs of all users appear here as soon as they begin.</p>`}<//>` : running.map((run) => html`<${Running} key=${run.id} run=${run} isOpen=${state.run === run.id || running.length <= 2} />`)}
    </section>
    <section>
      <h2>Waiting</h2>
      ${waiting.length === 0 ? html`<p class="muted">The queue is empty.</p>` : html`<${Waiting} waiting=${waiting} />`}
    </section>
    ${ended.length > 0 &&
    html`<section>
      <h2>Ended since this page was opened</h2>
      <ul class="plain">
        ${ended.map((run) => html`<li key=${run.id}><a href=${link({ view: "run", run: run.id })}>${short(run.id)}</a> ${run.status !== "ended" && html`<${State} of=${run.status} />`} <span class="muted">${run.total ? `${run.done} of ${plural(run.total, "case")}` : ""}</span></li>`)}
      </ul>
    </section>`}
    <${News} news=${live.news} />`;
}

function Cancel({ run }) {
  const cancel = async () => {
    await ask(`api/runs/${run}/cancel`, { method: "POST" });
    refresh();
  };
  return html`<${Action} act=${cancel} confirm="Really cancel?">Cancel<//>`;
}

function Running({ run, isOpen }) {
  const may = useMay("run");
  const now = run.current === null ? null : run.cases.get(run.current);
  const share = run.total ? (run.done + (now?.state === "running" ? (now.estimate?.fraction ?? 0) : 0)) / run.total : 0;
  return html`<article class="card run-card" data-run=${run.id}>
    <header>
      <h3><a href=${link({ view: "run", run: run.id })}>${short(run.id)}</a></h3>
      ${(run.tags ?? []).map((tag) => html`<span class="tag" key=${tag}>${tag}</span>`)}
      <span class="muted">${run.done} of ${plural(run.total, "case")}, ${duration((Date.now() - run.startedAt) / 1000)} so far</span>
      ${may && html`<${Cancel} run=${run.id} />`}
    </header>
    <${Progress} share=${share} label=${`Progress of run ${short(run.id)}`} />
    ${run.note && html`<p class="note">${run.note}</p>`} ${now && html`<${Now} it=${now} />`}
    ${isOpen && html`<${Cases} run=${run} />`}
    ${run.output.length > 0 && html`<details><summary>${plural(run.output.length, "line")} of plugin output</summary><pre>${run.output.map((line) => line.text).join("\n")}</pre></details>`}
  </article>`;
}

function Now({ it }) {
  const { estimate } = it;
  if (it.state === "waiting") return html`<p><${State} of="waiting" /> ${it.benchmark ?? "the next case"} waits for ${it.device}: held by ${it.holder}</p>`;
  return html`<div class="now">
    <p>
      <strong>${it.benchmark}</strong> ${params(it.params)} on ${it.device}
      <span class="muted">${it.stage ? `${it.stage.replace("_", " ")}` : ""}${it.launches ? `, launch ${it.launches}` : ""}${it.progress && it.progress < 1 ? `, ${Math.round(it.progress * 100)} %` : ""}${it.startedAt ? `, ${duration((Date.now() - it.startedAt) / 1000)} so far` : ""}${estimate?.remaining_ns ? `, about ${duration(estimate.remaining_ns / 1e9)} left` : ""}</span>
    </p>
    ${estimate && html`<p class="estimate">${measured(estimate.median_ns, estimate.interval, "ns")} <span class="muted">after ${plural(estimate.samples, "sample")}</span> <${Narrowing} estimates=${it.estimates} /></p>`}
  </div>`;
}

/** The interval of the estimate as it narrows, scaled to its widest. */
function Narrowing({ estimates }) {
  const [width, height] = [200, 40];
  const found = estimates.filter((it) => it.interval);
  if (found.length < 2) return null;
  const low = Math.min(...found.map((it) => it.interval.low));
  const high = Math.max(...found.map((it) => it.interval.high));
  const x = (place) => ((place / (found.length - 1)) * width).toFixed(1);
  const y = (value) => (high === low ? height / 2 : height - ((value - low) / (high - low)) * height).toFixed(1);
  const upper = found.map((it, place) => `${place ? "L" : "M"}${x(place)} ${y(it.interval.high)}`).join("");
  const lower = found.toReversed().map((it, place) => `L${x(found.length - 1 - place)} ${y(it.interval.low)}`).join("");
  const middle = found.map((it, place) => `${place ? "L" : "M"}${x(place)} ${y(it.median_ns)}`).join("");
  return html`<svg class="narrowing" width=${width} height=${height} viewBox=${`0 0 ${width} ${height}`} role="img" aria-label=${`confidence interval from ${quantity(found[0].interval.low, "ns")} … ${quantity(found[0].interval.high, "ns")} to ${quantity(found.at(-1).interval.low, "ns")} … ${quantity(found.at(-1).interval.high, "ns")}`}><path class="band" d=${`${upper}${lower}Z`} /><path d=${middle} /></svg>`;
}

/** Cases of a run, those that matter now: many runs have thousands. */
function Cases({ run }) {
  const all = [...run.cases.values()].filter((it) => it.benchmark).toSorted((a, b) => a.index - b.index);
  const from = Math.max(0, all.findIndex((it) => it.index === run.current) - 6);
  const shown = all.slice(from, from + 14);
  return html`<ul class="plain cases">
    ${from > 0 && html`<li class="muted">${plural(from, "earlier case")}</li>`}
    ${shown.map((it) => html`<li key=${it.index}><${State} of=${it.state} /> ${it.benchmark} <span class="muted">${params(it.params)} on ${it.device}</span> ${result(it)}</li>`)}
    ${all.length > from + shown.length && html`<li class="muted">${plural(all.length - from - shown.length, "later case")}</li>`}
  </ul>`;
}

function result(it) {
  const time = it.metrics?.find((one) => one.name === "time");
  if (time) return measured(time.median, time.interval, time.unit);
  const why = it.reason?.message ?? it.reason;
  return typeof why === "string" ? html`<span class="muted">${why}</span>` : null;
}

function Waiting({ waiting }) {
  const may = useMay("run");
  return html`<div class="table-box" tabindex="0" role="region" aria-label="Waiting runs">
    <table>
      <thead><tr><th scope="col" class="number">Place</th><th scope="col">Run</th><th scope="col">Owner</th><th scope="col">Priority</th><th scope="col">Devices</th><th scope="col" class="number">Cases</th><th scope="col" class="number">Starts in about</th><td></td></tr></thead>
      <tbody>
        ${waiting.slice(0, 100).map(
          (it, place) => html`<tr key=${it.run}>
            <td class="number">${place + 1}</td>
            <td><a href=${link({ view: "run", run: it.run })}>${short(it.run)}</a></td>
            <td>${it.owner}</td>
            <td>${it.priority}</td>
            <td>${it.devices.join(", ")}</td>
            <td class="number">${it.cases}</td>
            <td class="number">${it.estimated_start_s === null || it.estimated_start_s === undefined ? "unknown" : duration(it.estimated_start_s)}</td>
            <td>${may && html`<${Cancel} run=${it.run} />`}</td>
          </tr>`,
        )}
      </tbody>
    </table>
    ${waiting.length > 100 && html`<p class="note">The first 100 of ${waiting.length} waiting runs, in the order of submission.</p>`}
  </div>`;
}

const NEWS = { plugin_added: "added", plugin_replaced: "replaced", plugin_removed: "removed", plugin_refused: "refused" };

function News({ news }) {
  if (!news.length) return null;
  return html`<section>
    <h2>Plugins that changed</h2>
    <ul class="plain">
      ${news.toReversed().map((it) => html`<li key=${it.at + it.event}>${new Date(it.at).toLocaleTimeString()} ${NEWS[it.event] ?? it.event}: ${it.plugin ? `${it.plugin.id} ${it.plugin.version}` : it.path}${it.reason && `: ${it.reason}`}</li>`)}
    </ul>
  </section>`;
}
