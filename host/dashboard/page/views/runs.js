// All runs, whoever started them.

import { html } from "../ui.js";
import { useData } from "../api.js";
import { short } from "../format.js";
import { Answer, Choice, Empty, State, TextChoice, Time } from "../parts.js";
import { link, set, useAddress } from "../state.js";

const PAGE = 50;

export function Runs() {
  const state = useAddress();
  const page = Math.max(1, Number(state.page ?? 1));
  const query = new URLSearchParams({ limit: PAGE + 1, offset: (page - 1) * PAGE });
  for (const name of ["status", "tag", "benchmark"]) if (state[name]) query.set(name, state[name]);
  const runs = useData(`api/runs?${query}`);
  const chosen = (state.chosen ?? "").split(",").filter(Boolean);
  const choose = (id, isChosen) => set({ chosen: (isChosen ? [...chosen, id].slice(-2) : chosen.filter((it) => it !== id)).join(",") }, { replace: true });
  return html`<h1>Runs</h1>
    <form class="filters" onSubmit=${(event) => event.preventDefault()} aria-label="Filters">
      <${Choice} name="status" label="Status" none="any" options=${["queued", "running", "completed", "cancelled", "interrupted"]} />
      <${TextChoice} name="tag" label="Tag" placeholder="whole tag" />
      <${TextChoice} name="benchmark" label="Benchmark" placeholder="whole name" />
    </form>
    <p>
      ${chosen.length === 2
        ? html`<a class="button primary" href=${link({ view: "compare", baseline: older(chosen), candidate: newer(chosen) })}>Compare the two chosen runs</a>`
        : html`<span class="muted">Choose two runs to compare them.</span>`}
    </p>
    <${Answer} of=${runs}>
      ${(found) =>
        found.length === 0
          ? html`<${Empty} title=${query.size > 2 ? "No run matches these filters" : "Nothing has run yet"}><p><a href=${link({ view: "live" })}>Start a run.</a></p><//>`
          : html`<div class="table-box" tabindex="0" role="region" aria-label="Runs">
                <table>
                  <thead>
                    <tr><th scope="col"><span class="hidden">Chosen</span></th><th scope="col">Run</th><th scope="col">Suite</th><th scope="col">Accepted</th><th scope="col">Status</th><th scope="col" class="number">Cases</th><th scope="col" class="number">With result</th><th scope="col" class="number">Failed</th><th scope="col">Tags</th></tr>
                  </thead>
                  <tbody>
                    ${found.slice(0, PAGE).map(
                      (run) => html`<tr key=${run.id}>
                        <td><input type="checkbox" aria-label=${`Choose run ${short(run.id)}`} checked=${chosen.includes(run.id)} onChange=${(event) => choose(run.id, event.target.checked)} /></td>
                        <td><a href=${link({ view: "run", run: run.id })}>${short(run.id)}</a></td>
                        <td>${run.suite ?? html`<span class="muted">–</span>`}</td>
                        <td><${Time} at=${run.created_at} /></td>
                        <td><${State} of=${run.status} /></td>
                        <td class="number">${run.cases}</td>
                        <td class="number">${run.with_result}</td>
                        <td class="number">${run.failed}</td>
                        <td>${run.tags.map((tag) => html`<a class="tag" key=${tag} href=${link({ view: "runs", tag })}>${tag}</a> `)}</td>
                      </tr>`,
                    )}
                  </tbody>
                </table>
              </div>
              <nav class="pages" aria-label="Pages of runs">
                <button disabled=${page === 1} onClick=${() => set({ page: page - 1 })}>Newer</button>
                <span>Page ${page}</span>
                <button disabled=${found.length <= PAGE} onClick=${() => set({ page: page + 1 })}>Older</button>
              </nav>`}
    <//>`;
}

// Identifiers sort by time.
function older([a, b]) {
  return a < b ? a : b;
}

function newer([a, b]) {
  return a < b ? b : a;
}
