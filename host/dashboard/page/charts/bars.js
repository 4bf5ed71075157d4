// Horizontal bars with intervals, as a table: readable, copyable, and sorted by what is better.

import { html } from "../ui.js";
import { measured } from "../format.js";

/** `rows` are `{name, note, href, value, interval, unit}`. The best one comes first. */
export function Bars({ rows, direction, caption }) {
  const sorted = rows.toSorted((a, b) => (direction === "higher" ? b.value - a.value : a.value - b.value));
  const most = Math.max(...sorted.map((row) => Math.max(row.value, row.interval?.high ?? 0)));
  const share = (value) => `${Math.max(0, Math.min(100, (value / most) * 100))}`;
  return html`<table class="bars">
    <caption>${caption}</caption>
    <tbody>
      ${sorted.map(
        (row, place) => html`<tr key=${row.id ?? row.name}>
          <th scope="row">${row.href ? html`<a href=${row.href}>${row.name}</a>` : row.name}${row.note && html` <span class="muted">${row.note}</span>`}</th>
          <td class="bar">
            <svg viewBox="0 0 100 10" preserveAspectRatio="none" aria-hidden="true">
              <rect class=${place === 0 ? "best" : ""} x="0" y="1" height="8" width=${share(row.value)} />
              ${row.interval && html`<line x1=${share(row.interval.low)} x2=${share(row.interval.high)} y1="5" y2="5" />`}
            </svg>
          </td>
          <td class="number">${measured(row.value, row.interval, row.unit)}</td>
        </tr>`,
      )}
    </tbody>
  </table>`;
}
