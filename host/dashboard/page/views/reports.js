// Reports of runs and over all runs, opened in the page.

import { html, useEffect, useState } from "../ui.js";
import { ask, download, useData } from "../api.js";
import { short } from "../format.js";
import { Action, Answer, Empty, State, Trouble } from "../parts.js";
import { link, useAddress } from "../state.js";

const OVERALL = [
  ["summary", "Results by model and hardware"],
  ["hardware-comparison", "Hardware, by model"],
  ["model-comparison", "Models, by hardware"],
  ["compatibility-matrix", "Which model runs where"],
];

export function Reports() {
  const state = useAddress();
  const found = useData("api/benchmark/reports");
  return html`<h1>Reports</h1>
    ${state.report && html`<${Report} path=${state.report} />`}
    <section>
      <h2>Over all runs</h2>
      <ul class="plain">
        ${OVERALL.map(([kind, title]) => html`<li key=${kind}><a href=${link({ view: "reports", report: `${kind}?format=html` })}>${title}</a> <${Action} act=${() => download(`api/reports/${kind}?format=markdown`, `${kind}.md`)}>Markdown<//></li>`)}
      </ul>
    </section>
    <section>
      <h2>Of single runs</h2>
      <${Answer} of=${found}>
        ${(all) =>
          all.length === 0
            ? html`<${Empty} title="No run has reports yet"><p>They are written when a run ends.</p><//>`
            : html`<div class="table-box" tabindex="0" role="region" aria-label="Reports of runs">
                <table>
                  <thead><tr><th scope="col">Run</th><th scope="col">Status</th><th scope="col">Files</th></tr></thead>
                  <tbody>
                    ${all.slice(0, 100).map(
                      (it) => html`<tr key=${it.run_id}>
                        <td><a href=${link({ view: "run", run: it.run_id })}>${short(it.run_id)}</a></td>
                        <td><${State} of=${it.status} /></td>
                        <td>
                          ${it.reports.map((file) =>
                            file.endsWith(".html")
                              ? html`<a key=${file} href=${link({ view: "reports", report: `${it.run_id}/${file}` })}>${file}</a> `
                              : html`<${Action} key=${file} act=${() => download(`api/reports/${it.run_id}/${file}`, `${it.run_id}-${file}`)}>${file}<//> `,
                          )}
                        </td>
                      </tr>`,
                    )}
                  </tbody>
                </table>
                ${all.length > 100 && html`<p class="note">The newest 100 of ${all.length} runs with reports.</p>`}
              </div>`}
      <//>
    </section>`;
}

/** A report in a frame of its own, without any rights: it is text of others. */
function Report({ path }) {
  const [state, setState] = useState({});
  const isSafe = /^[\w-]+(\/[\w.-]+)?(\?format=html)?$/.test(path);
  useEffect(() => {
    let isCurrent = true;
    setState({});
    if (!isSafe) return undefined;
    ask(`api/reports/${path}`, { raw: true })
      .then((response) => response.text())
      .then(
        (text) => isCurrent && setState({ text }),
        (error) => isCurrent && setState({ error }),
      );
    return () => (isCurrent = false);
  }, [path]);
  if (!isSafe) return html`<p class="trouble" role="alert">${path} is not the name of a report.</p>`;
  return html`<section class="card">
    <p><a href=${link({ view: "reports" })}>Close the report</a></p>
    ${state.error ? html`<${Trouble} error=${state.error} />` : state.text === undefined ? html`<p class="loading">Loading …</p>` : html`<iframe class="report" title="Report" sandbox="" srcdoc=${state.text}></iframe>`}
  </section>`;
}
