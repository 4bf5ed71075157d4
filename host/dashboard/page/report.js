// The charts of a report that opens from a file: those of the page, over the results that the file brings along.

import { html, render } from "./ui.js";
import { Bars } from "./charts/bars.js";
import { Scaling } from "./charts/lines.js";
import { better } from "./format.js";
import { namer, numericParams, workOf } from "./naming.js";
import { Samples } from "./samples.js";
import { scalingLines, usualParameter } from "./scaling.js";

/** Charts of benchmarks before those of the cases. */
const MOST = 20;

const cases = JSON.parse(document.getElementById("cases").textContent);
const name = namer(cases.map((it) => it.key));
const groups = (of) => [...Map.groupBy(cases, of).values()].filter((rows) => rows.length > 1);

/** How a benchmark grows with a parameter. */
function Growth() {
  const benchmarks = groups((it) => `${it.key.benchmark} ${it.metric}`).flatMap((rows) => {
    const parameter = usualParameter(numericParams(rows.map((it) => it.key)));
    const lines = parameter ? scalingLines(rows, parameter) : [];
    return lines.length ? [{ ...rows[0], parameter, lines }] : [];
  });
  return benchmarks.slice(0, MOST).map(
    ({ key, metric, unit, parameter, lines }) => html`<section class="card" key=${key.benchmark}>
      <h2>${key.benchmark}: ${metric} by ${parameter}</h2>
      <${Scaling} lines=${lines} parameter=${parameter} metric=${metric} unit=${unit} />
    </section>`,
  );
}

/** The same work on several devices, engines or plugins. */
function Hardware() {
  return groups((it) => `${workOf(it.key)} ${it.metric}`).slice(0, MOST).map((rows) => {
    const { key, metric, unit, better: direction } = rows[0];
    const bars = rows.map((it) => ({ id: it.index, name: `${it.key.device}, ${it.key.engine}`, note: it.key.plugin, value: it.newest.median, interval: it.newest.interval, unit, href: `#case-${it.index}` }));
    return html`<section class="card" key=${rows[0].index}>
      <h2>${name(key, { withPlace: false })}</h2>
      <${Bars} direction=${direction} caption=${`${metric}, ${better(direction)}; the line is the confidence interval`} rows=${bars} />
    </section>`;
  });
}

render(html`<${Growth} /><${Hardware} />`, document.getElementById("relations"));

/** A report may have hundreds of cases: their charts are drawn when they come near, and before printing. */
function draw(place) {
  const { metric, unit, distribution } = cases.find((it) => String(it.index) === place.dataset.case);
  render(html`<${Samples} distribution=${distribution} metric=${metric} unit=${unit} />`, place);
}
const waiting = new Set(document.querySelectorAll("[data-case]"));
const near = new IntersectionObserver(
  (entries) => {
    for (const { isIntersecting, target } of entries) {
      if (!isIntersecting || !waiting.delete(target)) continue;
      near.unobserve(target);
      draw(target);
    }
  },
  { rootMargin: "100%" },
);
waiting.forEach((place) => near.observe(place));
addEventListener("beforeprint", () => {
  waiting.forEach(draw);
  waiting.clear();
});
