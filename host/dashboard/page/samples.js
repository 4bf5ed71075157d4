// The samples of a case: their distribution, and their course.

import { html } from "./ui.js";
import { Course, Distributions } from "./charts/lines.js";

const SAMPLED = new Set(["time", "device_time", "items_per_second", "bytes_per_second", "flop_per_second"]);
/** Launches that are drawn one by one. */
const MOST_LAUNCHES = 20;

/** Whether each sample has a value of this metric. Of others there is one value per launch. */
export function isSampled(metric) {
  return SAMPLED.has(metric);
}

/** The lines of a distribution: one per launch, thin, and one of all samples. */
export function linesOf({ samples, shares, quantiles, launches }, name, tone, launchTone) {
  if (!samples) return [];
  const thin = launches.slice(0, MOST_LAUNCHES).map((it) => ({ name: `${name ? `${name}, ` : ""}launch ${it.launch}`, tone: launchTone, shares, quantiles: it.quantiles }));
  return [...thin, { name: name || "all samples", tone, isWhole: true, shares, quantiles }];
}

/** How many samples are gone of launches that were thinned. */
function Thinned({ launches }) {
  const thinned = launches.filter((it) => it.samples_taken);
  if (!thinned.length) return null;
  const sum = (name) => thinned.reduce((total, it) => total + it[name], 0);
  return html`<p class="note">Old samples were thinned: ${sum("samples")} of ${sum("samples_taken")} are shown. The result was computed from all of them.</p>`;
}

/** Both charts, side by side. */
export function Samples({ distribution, metric, unit }) {
  return html`<${Thinned} launches=${distribution.launches} /><div class="cards samples">
    <section class="card wide">
      <h2>Samples in the order of measurement</h2>
      <${Course} columns=${distribution.columns} unit=${unit} metric=${metric} />
    </section>
    <section class="card wide">
      <h2>Distribution</h2>
      <${Distributions} metric=${metric} unit=${unit} lines=${linesOf(distribution, "", "series-0", "series-1")} />
    </section>
  </div>`;
}
