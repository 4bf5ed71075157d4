// Two runs side by side: the rows that matter first, in words.

import { html, useEffect, useMemo, useState } from "../ui.js";
import { ask, useData } from "../api.js";
import { Distributions, HistoryChart } from "../charts/lines.js";
import { useMay } from "../caller.js";
import { command, historyOf } from "../links.js";
import { isSampled, linesOf } from "../samples.js";
import { better, caseName, clock, effect, keyOf, measured, percent, plural, quantity, short } from "../format.js";
import { Action, Answer, Copyable, Empty, Table, TextChoice, Toggle, Trouble, Verdict } from "../parts.js";
import { link, open, set, useAddress } from "../state.js";
import { hiddenBecause, inWords, unnoticed } from "../words.js";

export function Compare() {
  const state = useAddress();
  return html`<h1>Compare</h1>
    <${Sides} />
    ${state.baseline && state.candidate
      ? html`<${Comparison} baseline=${state.baseline} candidate=${state.candidate} />`
      : html`<${Empty} title="Choose two runs"><p>On both sides, name a run, <code>last</code>, <code>last~1</code>, the newest run of <code>branch:NAME</code> or <code>commit:HASH</code>, or <code>baseline:NAME</code>.</p><//>`}`;
}

function Sides() {
  const state = useAddress();
  const runs = useData("api/runs?limit=50&status=completed");
  const baselines = useData("api/baselines");
  const [baseline, setBaseline] = useState(state.baseline ?? "");
  const [candidate, setCandidate] = useState(state.candidate ?? "");
  useEffect(() => {
    setBaseline(state.baseline ?? "");
    setCandidate(state.candidate ?? "");
  }, [state.baseline, state.candidate]);
  const submit = (event) => {
    event.preventDefault();
    open({ view: "compare", baseline: baseline.trim(), candidate: candidate.trim(), threshold: state.threshold });
  };
  const swap = () => open({ ...state, baseline: state.candidate, candidate: state.baseline });
  const side = (label, value, change) => html`<label class="field wide"><span>${label}</span><input list="selectors" value=${value} placeholder="run, last~1, branch:NAME, commit:HASH, or baseline:NAME" onInput=${(event) => change(event.target.value)} /></label>`;
  return html`<form class="filters" onSubmit=${submit}>
    ${side("Baseline", baseline, setBaseline)} ${side("Candidate", candidate, setCandidate)}
    <datalist id="selectors">
      ${(baselines.data ?? []).map((it) => html`<option key=${it.name} value=${`baseline:${it.name}`}>${`baseline, run ${short(it.run_id ?? it.run)}`}</option>`)}
      ${(runs.data ?? []).map((it) => html`<option key=${it.id} value=${it.id}>${`${clock(it.created_at)} ${it.suite ?? ""} ${it.tags.join(" ")}`}</option>`)}
    </datalist>
    <button class="primary" disabled=${!baseline.trim() || !candidate.trim()}>Compare</button>
    ${state.baseline && state.candidate && html`<button type="button" onClick=${swap}>Swap the sides</button>`}
  </form>`;
}

function Comparison({ baseline, candidate }) {
  const state = useAddress();
  const query = new URLSearchParams({ baseline, candidate });
  if (state.threshold) query.set("threshold", state.threshold);
  if (state.differences === "1") query.set("allow_differences", "true");
  const found = useData(`api/compare?${query}`);
  return html`<${Answer} of=${found}>${(comparison) => html`<${Rows} comparison=${comparison} />`}<//>`;
}

function flat(comparison) {
  return comparison.cases.flatMap((it) => it.metrics.map((metric) => ({ id: `${it.label} ${metric.name}`, label: it.label, key: it.key, metric, hidden: hiddenBecause(metric, it.metrics) })));
}

function Rows({ comparison }) {
  const state = useAddress();
  const rows = useMemo(() => flat(comparison), [comparison]);
  // A link shows the row that it names, even if later runs of the same builds have changed the verdict on it.
  const isOpen = (row) => row.id === state.row;
  const wanted = rows.filter((row) => (!state.q || row.label.toLowerCase().includes(state.q.toLowerCase())) && (!state.only || row.metric.verdict === state.only || isOpen(row)));
  const [relevant, hidden] = [wanted.filter((row) => !row.hidden || isOpen(row)), wanted.filter((row) => row.hidden && !isOpen(row))];
  const isAll = state.all === "1" || Boolean(state.only);
  const shown = isAll ? wanted : relevant;
  const reasons = Map.groupBy(hidden, (row) => row.hidden);
  const toggle = (row) => set({ row: isOpen(row) ? "" : row.id });
  const statistics = state.stats === "1";
  const columns = [
    { id: "verdict", title: "Verdict", value: (row) => row.metric.verdict, cell: (row) => html`<${Verdict} of=${row.metric.verdict} />` },
    {
      id: "case",
      title: "Case",
      value: (row) => row.label,
      cell: (row) => html`<button class="row-toggle" aria-expanded=${isOpen(row)} onClick=${() => toggle(row)}>${row.label}</button><div class="muted">${row.metric.name}, ${better(row.metric.better)}</div>`,
    },
    { id: "words", title: "Change", value: (row) => row.metric.effect ?? 0, isNumber: true, cell: (row) => html`<strong>${inWords(row.metric)}</strong><div class="muted">${effect(row.metric)}</div>` },
    { id: "before", title: "Baseline", value: (row) => row.metric.baseline, isNumber: true, cell: (row) => quantity(row.metric.baseline, row.metric.unit) },
    { id: "after", title: "Candidate", value: (row) => row.metric.candidate, isNumber: true, cell: (row) => quantity(row.metric.candidate, row.metric.unit) },
    { id: "certainty", title: "What could hide", cell: (row) => html`<span class="muted">${row.metric.remark ?? unnoticed(row.metric)}</span>` },
    ...(statistics
      ? [
          { id: "p", title: "p", value: (row) => row.metric.p_value ?? 1, isNumber: true, cell: (row) => (row.metric.p_value === undefined ? "–" : row.metric.p_value.toPrecision(2)) },
          { id: "n", title: "Launches", value: (row) => row.metric.launches[0], isNumber: true, cell: (row) => row.metric.launches.join(" and ") },
          { id: "d", title: "Detectable", value: (row) => row.metric.detectable ?? 0, isNumber: true, cell: (row) => percent(row.metric.detectable) },
          { id: "e", title: "Estimator", cell: (row) => row.metric.estimator?.replace("_", " ") ?? "median" },
        ]
      : []),
  ];
  return html`<${Summary} comparison=${comparison} rows=${rows} />
    <div class="filters">
      <${TextChoice} name="q" label="Case" placeholder="part of a name" />
      <${TextChoice} name="threshold" label="Threshold" placeholder=${percent(comparison.threshold)} />
      <${Toggle} name="all" label="Show all rows" />
      <${Toggle} name="stats" label="Show statistics" />
      <${Toggle} name="differences" label="Judge in spite of differences" />
    </div>
    ${shown.length > 0
      ? html`<${Table} name="c" caption=${isAll ? "All rows" : "Rows that matter"} columns=${columns} rows=${shown} rowKey=${(row) => row.id} start="words.down" detail=${(row) => isOpen(row) && html`<${Detail} row=${row} />`} />`
      : html`<${Empty} title=${rows.length ? "No row matters: nothing regressed or improved" : "There is nothing to compare"}>${rows.length > 0 && html`<p>${plural(rows.length, "row")} ${rows.length === 1 ? "was" : "were"} judged. The list below says why ${rows.length === 1 ? "it is" : "they are"} hidden.</p>`}<//>`}
    ${!isAll &&
    reasons.size > 0 &&
    html`<details class="hidden-rows">
      <summary>${plural([...reasons.values()].flat().length, "row")} hidden</summary>
      <ul>
        ${[...reasons].map(([reason, found]) => html`<li key=${reason}>${plural(found.length, "row")}: ${reason}</li>`)}
      </ul>
      <a href=${link({ ...state, all: 1 })}>Show all rows</a>
    </details>`}
    <${Unjudged} comparison=${comparison} />`;
}

function Summary({ comparison, rows }) {
  const state = useAddress();
  const kinds = ["regressed", "improved", "equivalent", "inconclusive"];
  const count = (verdict) => rows.filter((row) => row.metric.verdict === verdict).length;
  return html`<section class="card">
    <p>
      <strong>${comparison.candidate}</strong> against <strong>${comparison.baseline}</strong>,${comparison.design === "stored" ? " measured at different times, so drift of the machine is part of each difference" : " measured in pairs"}. Changes below ${percent(comparison.threshold)} do not matter.
    </p>
    <p class="verdicts">
      ${kinds.map((verdict) => html`<a key=${verdict} href=${link({ ...state, only: state.only === verdict ? "" : verdict })} aria-current=${state.only === verdict ? "true" : undefined}><${Verdict} of=${verdict} /> ${count(verdict)}</a> `)}
    </p>
    ${comparison.differences.length > 0 &&
    html`<div class="note"><p>The two runs differ in more than the code:</p><ul>${comparison.differences.map((text) => html`<li key=${text}>${text}</li>`)}</ul></div>`}
  </section>`;
}

function Unjudged({ comparison }) {
  const { unjudged = [], added = [], removed = [] } = comparison;
  return html`${unjudged.length > 0 &&
  html`<section>
    <h2>Not judged</h2>
    <ul>
      ${unjudged.map((it) => html`<li key=${it.label}>${it.label}: <span class="muted">${reasonOf(it.why)}</span></li>`)}
    </ul>
  </section>`}
  ${added.length > 0 && html`<section><h2>Only in the candidate</h2><ul>${added.map((text) => html`<li key=${text}>${text}</li>`)}</ul></section>`}
  ${removed.length > 0 && html`<section><h2>Only in the baseline</h2><ul>${removed.map((text) => html`<li key=${text}>${text}</li>`)}</ul></section>`}`;
}

function reasonOf(why) {
  const { kind, ...rest } = why ?? {};
  const more = Object.values(rest).filter((value) => typeof value === "string" || typeof value === "number");
  return [kind?.replaceAll("_", " "), ...more].join(", ");
}

/** The run that a selector names. */
function useRunOf(selector) {
  const name = selector?.startsWith("baseline:") ? selector.slice("baseline:".length) : null;
  const found = useData(name ? `api/baselines/${encodeURIComponent(name)}` : null);
  return name ? (found.data?.run_id ?? found.data?.run ?? found.data?.id) : selector;
}

/** The result of a case in a run. */
function useResult(selector, key, metric) {
  const run = useRunOf(selector);
  const query = run && key ? new URLSearchParams({ run, benchmark: key.benchmark, plugin: key.plugin, metric, limit: 10_000 }) : null;
  const rows = useData(query ? `api/results?${query}` : null);
  const wanted = key && keyOf(key);
  return { error: rows.error, row: rows.data?.find((it) => keyOf({ ...it, engine: it.kind }) === wanted) };
}

function Detail({ row }) {
  const state = useAddress();
  const before = useResult(state.baseline, row.key, row.metric.name);
  const after = useResult(state.candidate, row.key, row.metric.name);
  const hasSamples = isSampled(row.metric.name);
  const at = (it) => (it.row && hasSamples ? `api/runs/${it.row.run}/cases/${it.row.case}/distribution?metric=${row.metric.name}&points=201&columns=1` : null);
  const [left, right] = [useData(at(before)), useData(at(after))];
  const name = row.key && `${row.key.plugin}/${row.key.benchmark}`;
  const history = useData(row.key ? `api/history/${encodeURIComponent(name)}?metric=${encodeURIComponent(row.metric.name)}&points=600` : null);
  const series = history.data?.find((it) => it.key && keyOf(it.key) === keyOf(row.key) && it.points.some((point) => point.run === after.row?.run)) ?? history.data?.find((it) => it.key && keyOf(it.key) === keyOf(row.key));
  if (!row.key) return html`<p class="muted">The comparison does not identify this case, so there is nothing more to show.</p>`;
  const error = before.error ?? after.error;
  return html`<div class="unfolded">
    ${error && html`<${Trouble} error=${error} />`}
    <div class="cards">
      <section class="card wide">
        <h2>History</h2>
        ${series ? html`<${HistoryChart} series=${series} shown=${[before.row?.run, after.row?.run].filter(Boolean)} height=${220} onPick=${(point) => open({ ...state, candidate: point.run, row: "" })} />` : html`<p class="muted">${history.error?.message ?? "Loading …"}</p>`}
        <p><a href=${historyOf(row.key, row.metric.name)}>Open the history</a></p>
      </section>
      <section class="card wide">
        <h2>Distribution of the samples</h2>
        ${!hasSamples
          ? html`<p class="muted">${row.metric.name} has one value per launch.</p>`
          : left.data && right.data
            ? html`<${Distributions} metric=${row.metric.name} unit=${row.metric.unit} lines=${[...linesOf(left.data, "baseline", "series-0", "series-0"), ...linesOf(right.data, "candidate", "series-1", "series-1")]} />
                <p class="muted">Thick: all samples. Thin: each launch.</p>`
            : html`<p class="muted">${(left.error ?? right.error)?.message ?? "Loading …"}</p>`}
      </section>
    </div>
    ${before.row && after.row && html`<${Sources} before=${before.row} after=${after.row} />`}
    <h2>Do it again</h2>
    ${after.row && html`<${Copyable} text=${command(after.row)} />`}
    ${before.row && after.row && html`<${Again} before=${before.row} after=${after.row} />`}
  </div>`;
}

function Sources({ before, after }) {
  const rows = [
    ["Run", before.run, after.run],
    ["Accepted", clock(before.created_at), clock(after.created_at)],
    ["Plugin", `${before.plugin} ${before.version}`, `${after.plugin} ${after.version}`],
    ["Plugin file (SHA-256)", before.sha256.slice(0, 16), after.sha256.slice(0, 16)],
    ["Median", measured(before.median, before.interval, before.unit), measured(after.median, after.interval, after.unit)],
    ["Launches, samples", `${before.launches}, ${before.samples}`, `${after.launches}, ${after.samples}`],
  ];
  return html`<table class="facts">
    <caption>
      The two results
    </caption>
    <thead><tr><td></td><th scope="col">Baseline</th><th scope="col">Candidate</th></tr></thead>
    <tbody>
      ${rows.map(([name, left, right]) => html`<tr key=${name}><th scope="row">${name}</th><td>${name === "Run" ? html`<a href=${link({ view: "run", run: left })}>${short(left)}</a>` : left}</td><td class=${left === right ? "" : "differs"}>${name === "Run" ? html`<a href=${link({ view: "run", run: right })}>${short(right)}</a>` : right}</td></tr>`)}
    </tbody>
  </table>`;
}

function Again({ before, after }) {
  const may = useMay("run");
  const [started, setStarted] = useState(null);
  if (!may) return html`<p class="muted">Your token may not start runs.</p>`;
  const start = async () => {
    const request = (row) => ({ benchmark: `${row.plugin}/${row.benchmark}`, params: Object.fromEntries(Object.entries(row.params).map(([name, value]) => [name, [value]])), hardware: [row.device], engine: row.kind, sha256: row.sha256 });
    const post = (row, tag) => ask("api/runs", { method: "POST", body: { requests: [request(row)], tags: ["again", tag] } });
    const [left, right] = [await post(before, "baseline"), await post(after, "candidate")];
    setStarted([left.id, right.id]);
  };
  return html`<p>
    <${Action} act=${start}>Measure this pair again<//>
    ${started
      ? html` Both wait in the queue: <a href=${link({ view: "live" })}>watch them</a>, then <a href=${link({ view: "compare", baseline: started[0], candidate: started[1] })}>compare them</a>.`
      : html` <span class="muted">Runs ${caseName({ ...after })} once more with each of the two plugin files.</span>`}
  </p>`;
}
