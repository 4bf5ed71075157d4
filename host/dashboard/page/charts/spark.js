// A line without axes, for a table cell.

import { html } from "../ui.js";

/** `change` is the place of a change of the level; the colour says its direction, and so does the text beside it. */
export function Spark({ values, change, worse, width = 120, height = 28 }) {
  if (values.length < 2) return html`<span class="muted">1 run</span>`;
  const low = Math.min(...values);
  const high = Math.max(...values);
  const x = (place) => 2 + (place / (values.length - 1)) * (width - 4);
  const y = (value) => (high === low ? height / 2 : 2 + (1 - (value - low) / (high - low)) * (height - 4));
  const path = values.map((value, place) => `${place ? "L" : "M"}${x(place).toFixed(1)} ${y(value).toFixed(1)}`).join("");
  return html`<svg class="spark" width=${width} height=${height} viewBox=${`0 0 ${width} ${height}`} aria-hidden="true">
    <path d=${path} />
    ${change !== undefined && html`<circle class=${worse ? "worse" : "better"} cx=${x(change)} cy=${y(values[change])} r="3.5" />`}
    <circle class="last" cx=${x(values.length - 1)} cy=${y(values.at(-1))} r="2" />
  </svg>`;
}
