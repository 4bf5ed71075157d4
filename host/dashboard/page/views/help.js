// What the numbers mean, and how the page is used.

import { html } from "../ui.js";
import { link } from "../state.js";

const METRICS = [
  ["time", "ns, lower is better", "Wall time of one iteration: the median over all samples of all launches."],
  ["items_per_second, bytes_per_second, flop_per_second", "higher is better", "Work that the plugin reports, divided by the time of the device where it reports one, and otherwise by wall time."],
  ["device_time", "ns, lower is better", "Time of one iteration by the device's own clock."],
  ["peak_memory", "bytes, lower is better", "Highest memory of the worker process, once per launch."],
  ["latency", "ns, lower is better", "Latency of a query in a load scenario. In the server scenario it counts from the scheduled arrival."],
  ["others", "as declared", "A plugin's own metrics, with the unit and direction that it declares."],
];

const KEYS = [
  ["g then o, l, r, c, h, t, p, s, d", "Overview, Live, Runs, Compare, History, Results, Reports, SQL, Plugins and devices"],
  ["/", "Go to the first filter"],
  ["?", "This page"],
  ["Tab, Shift+Tab, Enter, Space", "Move and choose: everything on the page can be reached"],
  ["Ctrl+Enter, Ctrl+Space", "In the SQL view: run the query, complete a name"],
];

export function Help() {
  return html`<h1>Help</h1>
    <section>
      <h2>Verdicts</h2>
      <dl>
        <dt>✗ regressed, ✓ improved</dt>
        <dd>The confidence interval of the change lies beyond the threshold, in the direction that is worse or better for this metric.</dd>
        <dt>= equivalent</dt>
        <dd>The whole interval lies within the threshold: a change that matters would have been seen.</dd>
        <dt>? undecided</dt>
        <dd>Neither could be shown. The row says why, and how small a change this number of launches could have shown.</dd>
      </dl>
      <p>“±” and “[low, high]” are confidence intervals over launches. A launch is a fresh process, so they include what differs from process to process.</p>
    </section>
    <section>
      <h2>Metrics</h2>
      <table>
        <thead><tr><th scope="col">Metric</th><th scope="col">Unit and direction</th><th scope="col">Meaning</th></tr></thead>
        <tbody>${METRICS.map(([name, unit, meaning]) => html`<tr key=${name}><th scope="row">${name}</th><td>${unit}</td><td>${meaning}</td></tr>`)}</tbody>
      </table>
    </section>
    <section>
      <h2>Links</h2>
      <p>The address of this page contains everything that you chose: view, filters, zoom, open rows. Send it, and others see what you see.</p>
    </section>
    <section>
      <h2>Keyboard</h2>
      <table>
        <thead><tr><th scope="col">Keys</th><th scope="col">What they do</th></tr></thead>
        <tbody>${KEYS.map(([keys, what]) => html`<tr key=${keys}><th scope="row"><kbd>${keys}</kbd></th><td>${what}</td></tr>`)}</tbody>
      </table>
    </section>
    <section>
      <h2>API</h2>
      <p>Everything here is also available to programs: see the <a href="docs">reference of all endpoints</a>, its <a href="openapi.json">OpenAPI document</a>, and <code>/metrics</code> for Prometheus. <a href=${link({ view: "sql" })}>SQL</a> reads every table.</p>
    </section>
    <section>
      <h2>Licences</h2>
      <p>The page contains uPlot (MIT, © Leon Sorokin), Preact (MIT, © Jason Miller) and htm (Apache-2.0, © Google).</p>
    </section>`;
}
