// Small components that several views share.

import { html, useEffect, useState } from "./ui.js";
import { ago, clock, percent } from "./format.js";
import { set, useAddress } from "./state.js";

/** What to do where there is nothing yet. */
export function Empty({ title, children }) {
  return html`<div class="empty"><p><strong>${title}</strong></p>${children}</div>`;
}

/** A failure as the server's own sentence. */
export function Trouble({ error }) {
  return html`<p class="trouble" role="alert">${error.message}</p>`;
}

/** What an answer of `useData` comes to: its trouble, a sign that it is awaited, or the view of it. */
export function Answer({ of, children }) {
  if (of.error && !of.data) return html`<${Trouble} error=${of.error} />`;
  if (!of.data) return html`<p class="loading" role="status">Loading …</p>`;
  return html`${of.error && html`<${Trouble} error=${of.error} />`}${children(of.data)}`;
}

const STATES = {
  completed: ["good", "completed"],
  running: ["live", "running"],
  queued: ["wait", "waiting"],
  waiting: ["wait", "waiting for the device"],
  failed: ["bad", "failed"],
  timed_out: ["bad", "timed out"],
  skipped: ["quiet", "skipped"],
  cancelled: ["quiet", "cancelled"],
  interrupted: ["bad", "interrupted"],
};

/** The state of a run or case; never by its colour alone. */
export function State({ of }) {
  const [tone, word] = STATES[of] ?? ["quiet", of];
  return html`<span class=${`state ${tone}`}>${word}</span>`;
}

const VERDICTS = { regressed: ["bad", "✗ regressed"], improved: ["good", "✓ improved"], equivalent: ["quiet", "= equivalent"], inconclusive: ["wait", "? undecided"] };

export function Verdict({ of }) {
  const [tone, word] = VERDICTS[of] ?? ["quiet", of];
  return html`<span class=${`state ${tone}`}>${word}</span>`;
}

/** A change of level: its direction in words, and its size. */
export function Shift({ of }) {
  const isWorse = of.verdict === "regressed";
  return html`<span class=${`state ${isWorse ? "bad" : "good"}`}>${isWorse ? "✗ worse" : "✓ better"} ${percent(of.effect, { sign: true })}</span>`;
}

/** A time, with how long ago it was. */
export function Time({ at }) {
  return html`<time datetime=${at} title=${at}>${clock(at)}</time> <span class="muted">${ago(at)}</span>`;
}

/** A choice that is a parameter of the address. `options` are values or `[value, text]`. */
export function Choice({ name, label, options, none, value }) {
  const state = useAddress();
  const pairs = options.map((option) => (Array.isArray(option) ? option : [option, option]));
  return html`<label class="field"
    ><span>${label}</span>
    <select value=${value ?? state[name] ?? ""} onChange=${(event) => set({ [name]: event.target.value })}>
      ${none !== undefined && html`<option value="">${none}</option>`}
      ${pairs.map(([value, text]) => html`<option key=${value} value=${value}>${text}</option>`)}
    </select>
  </label>`;
}

/** Text that is a parameter of the address, a moment after the typing ends. */
export function TextChoice({ name, label, placeholder }) {
  const state = useAddress();
  const [text, setText] = useState(state[name] ?? "");
  useEffect(() => setText(state[name] ?? ""), [state[name]]);
  useEffect(() => {
    if (text === (state[name] ?? "")) return undefined;
    const timer = setTimeout(() => set({ [name]: text }, { replace: true }), 150);
    return () => clearTimeout(timer);
  }, [text]);
  return html`<label class="field"><span>${label}</span><input type="search" value=${text} placeholder=${placeholder} onInput=${(event) => setText(event.target.value)} /></label>`;
}

/** A switch that is a parameter of the address. */
export function Toggle({ name, label }) {
  const state = useAddress();
  return html`<label class="toggle"><input type="checkbox" checked=${state[name] === "1"} onChange=${(event) => set({ [name]: event.target.checked ? "1" : "" })} /> ${label}</label>`;
}

/**
 * A table whose columns can be sorted; order and page are in the address under `name`. `columns` are
 * `{id, title, value(row), cell(row), isNumber}`.
 */
export function Table({ name, columns, rows, rowKey, caption, start, pageSize = 50, detail }) {
  const state = useAddress();
  const [by, direction] = (state[`${name}-sort`] ?? start ?? "").split(".");
  const column = columns.find((it) => it.id === by);
  const sorted = column ? rows.toSorted((a, b) => compare(column.value(a), column.value(b)) * (direction === "down" ? -1 : 1)) : rows;
  const pages = Math.max(1, Math.ceil(sorted.length / pageSize));
  const page = Math.min(pages, Math.max(1, Number(state[`${name}-page`] ?? 1)));
  const shown = sorted.slice((page - 1) * pageSize, page * pageSize);
  const sort = (id) => set({ [`${name}-sort`]: by === id && direction !== "down" ? `${id}.down` : id, [`${name}-page`]: "" });
  return html`<div class="table-box" tabindex="0" role="region" aria-label=${caption}>
      <table>
        <caption>
          ${caption}
        </caption>
        <thead>
          <tr>
            ${columns.map(
              (it) => html`<th key=${it.id} scope="col" class=${it.isNumber ? "number" : ""} aria-sort=${by === it.id ? (direction === "down" ? "descending" : "ascending") : "none"}>
                ${it.value ? html`<button class="sort" onClick=${() => sort(it.id)}>${it.title}<span aria-hidden="true">${by === it.id ? (direction === "down" ? " ↓" : " ↑") : ""}</span></button>` : it.title}
              </th>`,
            )}
          </tr>
        </thead>
        <tbody>
          ${shown.map(
            (row) => html`<tr key=${rowKey(row)}>
                ${columns.map((it) => html`<td key=${it.id} class=${it.isNumber ? "number" : ""}>${it.cell(row)}</td>`)}
              </tr>
              ${detail?.(row) && html`<tr class="detail" key=${`${rowKey(row)} detail`}><td colspan=${columns.length}>${detail(row)}</td></tr>`}`,
          )}
        </tbody>
      </table>
    </div>
    ${pages > 1 &&
    html`<nav class="pages" aria-label=${`Pages of ${caption}`}>
      <button disabled=${page === 1} onClick=${() => set({ [`${name}-page`]: page - 1 })}>Previous</button>
      <span>Page ${page} of ${pages}</span>
      <button disabled=${page === pages} onClick=${() => set({ [`${name}-page`]: page + 1 })}>Next</button>
    </nav>`}`;
}

function compare(a, b) {
  const isLess = typeof a === "number" && typeof b === "number" ? a - b : String(a ?? "").localeCompare(String(b ?? ""), undefined, { numeric: true });
  return Number.isNaN(isLess) ? 0 : isLess;
}

/** Text to copy, with the button that does it. */
export function Copyable({ text }) {
  const [done, setDone] = useState(false);
  const copy = async () => {
    await navigator.clipboard?.writeText(text);
    setDone(true);
    setTimeout(() => setDone(false), 1_500);
  };
  return html`<div class="copyable"><code>${text}</code><button onClick=${copy}>${done ? "Copied" : "Copy"}</button></div>`;
}

/** A button whose call may be refused; the refusal is shown beside it. */
export function Action({ act, children, tone = "", confirm: question }) {
  const [state, setState] = useState({});
  const [asked, setAsked] = useState(false);
  const run = async () => {
    if (question && !asked) {
      setAsked(true);
      setTimeout(() => setAsked(false), 4_000);
      return;
    }
    setAsked(false);
    setState({ busy: true });
    try {
      await act();
      setState({});
    } catch (error) {
      setState({ error });
    }
  };
  return html`<span class="action"
    ><button class=${tone} disabled=${state.busy} onClick=${run}>${asked ? question : children}</button>${state.error && html`<span class="trouble" role="alert">${state.error.message}</span>`}</span
  >`;
}

export function Progress({ share, label }) {
  const value = Math.round(Math.min(1, Math.max(0, share || 0)) * 100);
  return html`<progress max="100" value=${value} aria-label=${label}>${value} %</progress>`;
}
