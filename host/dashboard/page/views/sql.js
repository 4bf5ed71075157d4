// One SELECT over all that is stored: schema, history, saved queries, table, chart and export.

import { html, useEffect, useRef, useState } from "../ui.js";
import { ask, save } from "../api.js";
import { Scaling } from "../charts/lines.js";
import { plural } from "../format.js";
import { Empty, Trouble } from "../parts.js";
import { set, useAddress } from "../state.js";

const HISTORY = "dyno-sql-history";
const SAVED = "dyno-sql-saved";
const MOST_HISTORY = 30;
const MOST_SAVED = 100;
/** Rows in the page; the export has all of them. */
const MOST_ROWS = 500;
const FIRST = "SELECT c.benchmark, c.device, count(*) AS results, min(m.median) / 1e6 AS best_ms\nFROM metrics m JOIN cases c USING (run_no, case_no)\nWHERE m.name = 'time'\nGROUP BY ALL ORDER BY results DESC LIMIT 20";
const SCHEMA = "SELECT table_name, column_name, data_type FROM duckdb_columns() WHERE schema_name = 'main' AND NOT internal ORDER BY table_name, column_index";

const load = (name) => {
  try {
    return JSON.parse(localStorage.getItem(name) ?? "[]");
  } catch {
    return [];
  }
};
const store = (name, value) => localStorage.setItem(name, JSON.stringify(value));

export function Sql() {
  const state = useAddress();
  const [text, setText] = useState(state.sql ?? FIRST);
  const [result, setResult] = useState({});
  const [past, setPast] = useState(() => load(HISTORY));
  const [saved, setSaved] = useState(() => load(SAVED));
  const [tables, setTables] = useState({});
  const newest = useRef(0);
  const area = useRef(null);

  useEffect(() => {
    ask("api/sql", { method: "POST", body: { sql: SCHEMA, limit: 5000 } }).then(
      ({ rows }) => setTables({ found: [...Map.groupBy(rows, ([table]) => table)] }),
      (error) => setTables({ error }),
    );
  }, []);
  // An address with a query runs it: the reader of a link sees what its sender saw.
  useEffect(() => {
    if (state.sql) run(state.sql);
  }, []);

  const run = async (sql = text) => {
    const number = ++newest.current;
    set({ sql }, { replace: true });
    setResult({ busy: true });
    try {
      const answer = await ask("api/sql", { method: "POST", body: { sql, limit: 10_000 } });
      if (number === newest.current) setResult({ answer });
      const next = [sql, ...past.filter((it) => it !== sql)].slice(0, MOST_HISTORY);
      setPast(next);
      store(HISTORY, next);
    } catch (error) {
      if (number === newest.current) setResult({ error });
    }
  };
  const keep = () => {
    const next = [...saved.filter((it) => it !== text), text].slice(-MOST_SAVED);
    setSaved(next);
    store(SAVED, next);
  };
  const drop = (sql) => {
    const next = saved.filter((it) => it !== sql);
    setSaved(next);
    store(SAVED, next);
  };
  const insert = (word) => {
    const { selectionStart: start, selectionEnd: end } = area.current;
    setText(text.slice(0, start) + word + text.slice(end));
    area.current.focus();
  };

  return html`<h1>SQL</h1>
    <p class="muted">One SELECT at a time, in the dialect of DuckDB. Nothing can be changed. Ctrl+Enter runs it, Ctrl+Space completes a name.</p>
    <div class="sql">
      <div>
        <${Editor} text=${text} setText=${setText} run=${() => run()} area=${area} words=${(tables.found ?? []).flatMap(([table, columns]) => [table, ...columns.map(([, column]) => column)])} />
        <div class="actions">
          <button class="primary" id="run-sql" disabled=${result.busy || !text.trim()} onClick=${() => run()}>${result.busy ? "Running …" : "Run"}</button>
          <button onClick=${keep} disabled=${!text.trim() || saved.includes(text)}>Save the query</button>
        </div>
        ${result.error && html`<${Trouble} error=${result.error} />`} ${result.answer && html`<${Rows} answer=${result.answer} />`}
      </div>
      <aside>
        <details open>
          <summary>Tables and views</summary>
          ${tables.error && html`<${Trouble} error=${tables.error} />`}
          ${(tables.found ?? []).map(
            ([table, columns]) => html`<details key=${table}>
              <summary>${table}</summary>
              <ul class="plain">${columns.map(([, column, type]) => html`<li key=${column}><button class="row-toggle" title="Insert" onClick=${() => insert(column)}>${column}</button> <span class="muted">${type.toLowerCase()}</span></li>`)}</ul>
            </details>`,
          )}
        </details>
        <${Queries} title="Saved queries" list=${saved} choose=${setText} drop=${drop} /> <${Queries} title="Latest queries" list=${past} choose=${setText} />
      </aside>
    </div>`;
}

function Queries({ title, list, choose, drop }) {
  return html`<details>
    <summary>${title} (${list.length})</summary>
    ${list.length === 0 && html`<p class="muted">None yet.</p>`}
    <ul class="plain">
      ${list.map((sql) => html`<li key=${sql}><button class="row-toggle query" onClick=${() => choose(sql)}>${sql}</button>${drop && html` <button aria-label="Forget this query" onClick=${() => drop(sql)}>×</button>`}</li>`)}
    </ul>
  </details>`;
}

const KEYWORDS = ["SELECT", "FROM", "WHERE", "GROUP BY", "ORDER BY", "LIMIT", "JOIN", "USING", "LEFT JOIN", "HAVING", "DISTINCT", "QUALIFY", "count(*)", "median(", "quantile_cont(", "avg(", "min(", "max("];

function Editor({ text, setText, run, area, words }) {
  const [offered, setOffered] = useState([]);
  const before = (end) => text.slice(0, end).match(/[\w.]*$/)[0];
  const complete = () => {
    const word = before(area.current.selectionStart).toLowerCase().split(".").at(-1);
    const all = [...new Set([...words, ...KEYWORDS])];
    setOffered(all.filter((it) => it.toLowerCase().startsWith(word) && it.toLowerCase() !== word).slice(0, 12));
  };
  const take = (word) => {
    const end = area.current.selectionStart;
    const start = end - before(end).split(".").at(-1).length;
    setText(text.slice(0, start) + word + text.slice(end));
    setOffered([]);
    area.current.focus();
  };
  const press = (event) => {
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) {
      event.preventDefault();
      run();
    } else if (event.key === " " && event.ctrlKey) {
      event.preventDefault();
      complete();
    } else if (event.key === "Escape") setOffered([]);
  };
  return html`<label class="field"
      ><span>Query</span><textarea id="sql-text" ref=${area} rows="8" spellcheck="false" value=${text} onInput=${(event) => (setText(event.target.value), setOffered([]))} onKeyDown=${press}></textarea
    ></label>
    ${offered.length > 0 && html`<p class="offered" role="group" aria-label="Completions">${offered.map((word) => html`<button key=${word} onClick=${() => take(word)}>${word}</button>`)}</p>`}`;
}

const isNumber = (type) => /INT|DOUBLE|FLOAT|DECIMAL|HUGEINT/.test(type);

function Rows({ answer }) {
  const state = useAddress();
  const { columns, rows, truncated, elapsed_ms: elapsed } = answer;
  const cell = (value) => (value === null ? html`<span class="muted">NULL</span>` : typeof value === "object" ? JSON.stringify(value) : String(value));
  const csv = () => {
    // A spreadsheet takes text that begins with these for a formula.
    const guarded = (value) => (typeof value === "string" && /^[=+\-@\t\r]/.test(value) ? `'${value}` : String(value ?? ""));
    const quoted = (value) => `"${guarded(typeof value === "object" && value !== null ? JSON.stringify(value) : value).replaceAll('"', '""')}"`;
    const lines = [columns.map((it) => it.name), ...rows].map((row) => row.map(quoted).join(","));
    save(new Blob([`${lines.join("\r\n")}\r\n`], { type: "text/csv" }), "query.csv");
  };
  const json = () => save(new Blob([JSON.stringify(rows.map((row) => Object.fromEntries(row.map((value, place) => [columns[place].name, value]))), null, 2)], { type: "application/json" }), "query.json");
  const numeric = columns.map((it, place) => ({ ...it, place })).filter((it) => isNumber(it.type));
  const isChart = state.chart === "1" && numeric.length >= 2;
  return html`<div class="actions">
      <span>${plural(rows.length, "row")}${truncated ? ", cut at the limit" : ""} in ${Math.round(elapsed)} ms</span>
      <button onClick=${csv}>CSV</button> <button onClick=${json}>JSON</button>
      ${numeric.length >= 2 && html`<button aria-pressed=${isChart} onClick=${() => set({ chart: isChart ? "" : "1" })}>${isChart ? "Table" : "Chart"}</button>`}
    </div>
    ${rows.length === 0
      ? html`<${Empty} title="The query has no rows" />`
      : isChart
        ? html`<${Chart} numeric=${numeric} rows=${rows} />`
        : html`<div class="table-box" tabindex="0" role="region" aria-label="Result">
            <table>
              <thead><tr>${columns.map((it, place) => html`<th scope="col" key=${place} class=${isNumber(it.type) ? "number" : ""}>${it.name}</th>`)}</tr></thead>
              <tbody>${rows.slice(0, MOST_ROWS).map((row, number) => html`<tr key=${number}>${row.map((value, place) => html`<td key=${place} class=${isNumber(columns[place].type) ? "number" : ""}>${cell(value)}</td>`)}</tr>`)}</tbody>
            </table>
          </div>
          ${rows.length > MOST_ROWS && html`<p class="note">The first ${MOST_ROWS} rows; the export has all ${rows.length}.</p>`}`}`;
}

/** The first numeric column is x, the others are lines. */
function Chart({ numeric, rows }) {
  const [x, ...others] = numeric;
  const sorted = rows.filter((row) => row[x.place] > 0).toSorted((a, b) => a[x.place] - b[x.place]);
  const unique = sorted.filter((row, place) => place === 0 || row[x.place] !== sorted[place - 1][x.place]);
  if (unique.length < 2) return html`<p class="muted">A chart needs two positive values in ${x.name}, its x axis.</p>`;
  const lines = others.slice(0, 8).map((column) => ({ name: column.name, xs: unique.map((row) => Number(row[x.place])), ys: unique.map((row) => (row[column.place] > 0 ? Number(row[column.place]) : null)) }));
  return html`<${Scaling} lines=${lines} parameter=${x.name} metric="value" unit="" />`;
}
