// One run: its cases, what they measured, and what can be done with it.

import { html, useState } from "../ui.js";
import { ask, download, renew, useData } from "../api.js";
import { useMay } from "../caller.js";
import { caseName, clock, duration, measured, params, plural, short } from "../format.js";
import { command, historyOf } from "../links.js";
import { useLive } from "../live.js";
import { Action, Answer, Copyable, Empty, State, Table, Time } from "../parts.js";
import { link, open, set, useAddress } from "../state.js";
import { Samples } from "../samples.js";

const FORMATS = ["json", "csv", "samples-csv", "parquet", "markdown", "html", "junit", "bmf", "gbench", "github-benchmark", "openmetrics"];
const ENDINGS = { markdown: "md", "samples-csv": "csv", junit: "xml", bmf: "json", gbench: "json", "github-benchmark": "json", openmetrics: "txt" };

export function Run() {
  const { run } = useAddress();
  const found = useData(run ? `api/runs/${encodeURIComponent(run)}` : null);
  if (!run) return html`<${Empty} title="Which run?"><p><a href=${link({ view: "runs" })}>Choose one.</a></p><//>`;
  return html`<${Answer} of=${found}>${(record) => html`<${Record} record=${record} />`}<//>`;
}

function Record({ record }) {
  const live = useLive().runs.get(record.id);
  const status = live && !live.endedAt && record.status !== "completed" ? live.status : record.status;
  const rows = record.cases.map((it) => ({ ...it, state: it.status.state }));
  const state = useAddress();
  const columns = [
    {
      id: "case",
      title: "Case",
      value: (it) => caseName(it),
      cell: (it) => html`<button class="row-toggle" aria-expanded=${state.row === String(it.index)} onClick=${() => set({ row: state.row === String(it.index) ? "" : it.index })}>${it.benchmark}</button><div class="muted">${params(it.params)}</div>`,
    },
    { id: "plugin", title: "Plugin", value: (it) => it.plugin.id, cell: (it) => `${it.plugin.id} ${it.plugin.version} (${it.plugin.kind})` },
    { id: "device", title: "Device", value: (it) => it.device, cell: (it) => html`${it.device}${it.launches.some((launch) => launch.device?.software) && html` <span class="state wait">software</span>`}` },
    { id: "status", title: "Status", value: (it) => it.state, cell: (it) => html`<${State} of=${it.state} />${it.state !== "completed" && html`<div class="muted">${reason(it.status)}</div>`}` },
    { id: "time", title: "Time", isNumber: true, value: (it) => metric(it, "time")?.median ?? Infinity, cell: (it) => shown(metric(it, "time")) },
    { id: "rate", title: "Rate", isNumber: true, value: (it) => rate(it)?.median ?? 0, cell: (it) => shown(rate(it)) },
  ];
  return html`<h1>Run ${short(record.id)}</h1>
    <p>
      <${State} of=${status} /> ${record.spec.suite && html`<strong>${record.spec.suite.name ?? record.spec.suite}</strong> `}accepted <${Time} at=${record.created_at} />${record.finished_at && html`, ended ${clock(record.finished_at)}`} · ${plural(record.cases.length, "case")} ·${" "}
      ${(record.spec.tags ?? []).map((tag) => html`<a class="tag" key=${tag} href=${link({ view: "runs", tag })}>${tag}</a> `)}
    </p>
    <p class="muted">${record.machine.hostname}: ${record.machine.cpu.model}, ${record.machine.os}; dyno ${record.dyno_version}${record.source && `; commit ${record.source.commit.slice(0, 12)}${record.source.dirty ? ", with changes" : ""}`}</p>
    <${Actions} record=${record} status=${status} />
    <${Table} name="r" caption="Cases" columns=${columns} rows=${rows} rowKey=${(it) => it.index} detail=${(it) => state.row === String(it.index) && html`<${Case} record=${record} it=${it} />`} />`;
}

const metric = (it, name) => it.metrics.find((one) => one.name === name);
const rate = (it) => metric(it, "flop_per_second") ?? metric(it, "bytes_per_second") ?? metric(it, "items_per_second");
const shown = (one) => (one ? measured(one.median, one.interval, one.unit) : html`<span class="muted">–</span>`);

function reason(status) {
  const why = status.reason?.message ?? status.reason;
  const stage = status.stage ? `in ${status.stage}` : "";
  const limit = status.limit_s ? `after ${duration(status.limit_s)}` : "";
  return [stage, limit, typeof why === "string" ? why : ""].filter(Boolean).join(": ");
}

function Actions({ record, status }) {
  const may = useMay("run");
  const isAdmin = useMay("admin");
  const [format, setFormat] = useState("csv");
  const [name, setName] = useState("");
  const [tag, setTag] = useState("");
  const isOpen = ["queued", "running"].includes(status);
  const again = (what) => async () => {
    const answer = await ask(`api/runs/${record.id}/${what}`, { method: "POST" });
    renew();
    open({ view: "live", run: answer.id });
  };
  const cancel = async () => {
    await ask(`api/runs/${record.id}/cancel`, { method: "POST" });
    renew();
  };
  const remove = async () => {
    await ask(`api/runs/${record.id}`, { method: "DELETE" });
    renew();
    open({ view: "runs" });
  };
  const baseline = async () => {
    await ask(`api/baselines/${encodeURIComponent(name.trim())}`, { method: "PUT", body: { run_id: record.id } });
    setName("");
    renew();
  };
  const addTag = async () => {
    await ask(`api/runs/${record.id}/tags`, { method: "POST", body: { tag: tag.trim() } });
    setTag("");
    renew();
  };
  return html`<div class="actions">
    ${may && isOpen && html`<${Action} act=${cancel} confirm="Really cancel?">Cancel<//>`}
    ${may && !isOpen && html`<${Action} act=${again("rerun")}>Run again<//>`}
    ${may && !isOpen && record.cases.some((it) => ["queued", "running", "cancelled"].includes(it.status.state)) && html`<${Action} act=${again("resume")}>Resume unfinished cases<//>`}
    <a class="button" href=${link({ view: "compare", baseline: "last~1", candidate: record.id })}>Compare …</a>
    ${may && !isOpen && html`<span class="inline"><input aria-label="Name of the baseline" placeholder="baseline name" value=${name} onInput=${(event) => setName(event.target.value)} /><${Action} act=${baseline}>Save as baseline<//></span>`}
    ${may && html`<span class="inline"><input aria-label="Tag to add" placeholder="tag" value=${tag} onInput=${(event) => setTag(event.target.value)} /><${Action} act=${addTag}>Add tag<//></span>`}
    <span class="inline"
      ><select aria-label="Format of the export" value=${format} onChange=${(event) => setFormat(event.target.value)}>
        ${FORMATS.map((it) => html`<option key=${it} value=${it}>${it}</option>`)}
      </select>
      <${Action} act=${() => download(`api/runs/${record.id}/export?format=${format}`, `${record.id}.${ENDINGS[format] ?? format}`)}>Export<//></span
    >
    ${isAdmin && !isOpen && html`<${Action} act=${remove} tone="danger" confirm="Delete for good?">Delete<//>`}
  </div>`;
}

function Case({ record, it }) {
  const hasSamples = it.metrics.some((one) => one.name === "time");
  const found = useData(hasSamples ? `api/runs/${record.id}/cases/${it.index}/distribution?points=201&columns=600` : null);
  const output = it.launches.flatMap((launch) => (launch.output ?? []).map((line) => line.text ?? line));
  const remarks = [...new Set(it.launches.flatMap((launch) => [...(launch.missing ?? []), ...(launch.environment?.disturbances ?? [])]))];
  const key = { plugin: it.plugin.id, benchmark: it.benchmark, params: it.params, engine: it.plugin.kind, device: it.device };
  return html`<div class="unfolded">
    ${it.metrics.length > 0 &&
    html`<table>
      <thead><tr><th scope="col">Metric</th><th scope="col" class="number">Median</th><th scope="col" class="number">Lowest</th><th scope="col" class="number">Highest</th><th scope="col" class="number">Launches</th><th scope="col" class="number">Samples</th><td></td></tr></thead>
      <tbody>
        ${it.metrics.map(
          (one) => html`<tr key=${one.name}>
            <th scope="row">${one.name}</th>
            <td class="number">${measured(one.median, one.interval, one.unit)}</td>
            <td class="number">${measured(one.min, null, one.unit)}</td>
            <td class="number">${measured(one.max, null, one.unit)}</td>
            <td class="number">${one.launches}</td>
            <td class="number">${one.samples}</td>
            <td><a href=${historyOf(key, one.name)}>history</a></td>
          </tr>`,
        )}
      </tbody>
    </table>`}
    ${found.data?.samples > 0 &&
    html`<${Samples} distribution=${found.data} metric="time" unit="ns" />`}
    ${remarks.length > 0 && html`<div class="note"><ul>${remarks.slice(0, 20).map((text) => html`<li key=${text}>${text}</li>`)}</ul></div>`}
    ${output.length > 0 && html`<details><summary>${plural(output.length, "line")} of output</summary><pre>${output.slice(0, 400).join("\n")}</pre></details>`}
    <${Copyable} text=${command({ ...it, plugin: it.plugin.id, version: it.plugin.version, kind: it.plugin.kind })} />
  </div>`;
}
