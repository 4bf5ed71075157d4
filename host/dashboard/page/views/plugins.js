// Which plugins are loaded, why some are not, and which devices there are.

import { html } from "../ui.js";
import { ask, renew, useData } from "../api.js";
import { useMay } from "../caller.js";
import { params, plural, quantity } from "../format.js";
import { Action, Answer, Empty } from "../parts.js";
import { link, set, useAddress } from "../state.js";

export function Plugins() {
  const plugins = useData("api/plugins");
  const devices = useData("api/devices");
  const leases = useData("api/leases");
  const may = useMay("run");
  const rescan = async () => {
    await ask("api/plugins/rescan", { method: "POST" });
    renew();
  };
  const look = async () => {
    await ask("api/devices?refresh=true");
    renew();
  };
  return html`<h1>Plugins and devices</h1>
    <section>
      <h2>Plugins</h2>
      ${may && html`<p><${Action} act=${rescan}>Look into the folders again<//></p>`}
      <${Answer} of=${plugins}>${(found) => html`<${List} found=${found} />`}<//>
    </section>
    <section>
      <h2>Devices</h2>
      <p><${Action} act=${look}>Ask the drivers again<//></p>
      <${Answer} of=${devices}>${(found) => html`<${Devices} devices=${found.devices} leases=${leases.data ?? []} />`}<//>
    </section>`;
}

function List({ found }) {
  const state = useAddress();
  const isAdmin = useMay("admin");
  const { plugins, problems } = found;
  const turn = (it) => async () => {
    await ask(`api/plugins/${encodeURIComponent(it.id)}/${it.enabled ? "disable" : "enable"}`, { method: "POST" });
    renew();
  };
  const errors = problems.filter((it) => it.severity === "error");
  const notes = problems.filter((it) => it.severity !== "error");
  return html`${plugins.length === 0
      ? html`<${Empty} title="No plugin is loaded"><p>Put plugin files into a folder that <code>dyno serve --plugins</code> names.</p><//>`
      : html`<div class="table-box" tabindex="0" role="region" aria-label="Plugins">
          <table>
            <thead><tr><th scope="col">Plugin</th><th scope="col">Version</th><th scope="col">Engine</th><th scope="col">State</th><th scope="col" class="number">Benchmarks</th><th scope="col">File</th>${isAdmin && html`<td></td>`}</tr></thead>
            <tbody>
              ${plugins.map((it) => {
                const id = `${it.id} ${it.kind} ${it.path}`;
                const isOpen = state.plugin === id;
                return html`<tr key=${id}>
                    <td><button class="row-toggle" aria-expanded=${isOpen} onClick=${() => set({ plugin: isOpen ? "" : id })}>${it.id}</button><div class="muted">${it.description}</div></td>
                    <td>${it.version}</td>
                    <td>${it.kind}</td>
                    <td><${Fitness} it=${it} /></td>
                    <td class="number">${it.benchmarks.length}</td>
                    <td class="path" title=${it.sha256}>${it.path}<div class="muted">SHA-256 ${it.sha256.slice(0, 16)}</div></td>
                    ${isAdmin && html`<td><${Action} act=${turn(it)} confirm=${it.enabled ? "Really disable?" : undefined}>${it.enabled ? "Disable" : "Enable"}<//></td>`}
                  </tr>
                  ${isOpen && html`<tr class="detail"><td colspan=${isAdmin ? 7 : 6}><${Benchmarks} id=${it.id} kind=${it.kind} /></td></tr>`}`;
              })}
            </tbody>
          </table>
        </div>`}
    ${errors.length > 0 && html`<h3>Files that are not loaded</h3><ul>${errors.map((it) => html`<li key=${it.path + it.message}><span class="path">${it.path}</span>: ${it.message}</li>`)}</ul>`}
    ${notes.length > 0 && html`<details><summary>${plural(notes.length, "remark")}</summary><ul>${notes.map((it) => html`<li key=${it.path + it.message}><span class="path">${it.path}</span>: ${it.message}</li>`)}</ul></details>`}
    <p class="muted">Signatures are not checked by this version: run a plugin only if you would run it as a program. <a href=${link({ view: "sql", sql: "SELECT DISTINCT c.plugin_id, json_extract(l.record_json, '$.isolation')::VARCHAR AS isolation FROM launches l JOIN cases c USING (run_no, case_no) ORDER BY ALL LIMIT 50" })}>Isolation that was in force, by plugin</a></p>`;
}

function Fitness({ it }) {
  if (it.incompatible) return html`<span class="state bad">cannot run</span><div class="muted">${it.incompatible}</div>`;
  if (!it.enabled) return html`<span class="state quiet">disabled</span>`;
  if (it.problem) return html`<span class="state wait">previous version served</span><div class="muted">${it.problem}</div>`;
  return html`<span class="state good">loaded</span>`;
}

function Benchmarks({ id, kind }) {
  const found = useData(`api/plugins/${encodeURIComponent(id)}`);
  return html`<${Answer} of=${found}>
    ${(entries) => {
      const entry = entries.find((it) => it.kind === kind) ?? entries[0];
      const { plugin, benchmarks } = entry.descriptor;
      return html`<p class="muted">${[plugin.license && `licence ${plugin.license}`, plugin.authors?.join(", "), `${quantity(entry.size, "bytes")}`].filter(Boolean).join(" · ")}</p>
        ${(entry.warnings ?? []).map((text) => html`<p class="note" key=${text}>${text}</p>`)}
        <table>
          <thead><tr><th scope="col">Benchmark</th><th scope="col">Hardware</th><th scope="col">Parameters and their defaults</th><th scope="col">Tags</th><td></td></tr></thead>
          <tbody>
            ${benchmarks.map(
              (it) => html`<tr key=${it.name}>
                <th scope="row">${it.name}<div class="muted">${it.description}</div></th>
                <td>${it.hardware.join(", ")}</td>
                <td>${params(Object.fromEntries(it.params.map((info) => [info.name, info.default])))}</td>
                <td>${it.tags.join(", ")}</td>
                <td><a href=${link({ view: "live", start: 1, what: `${plugin.id}/${it.name}` })}>start</a> <a href=${link({ view: "history", benchmark: `${plugin.id}/${it.name}` })}>history</a></td>
              </tr>`,
            )}
          </tbody>
        </table>`;
    }}
  <//>`;
}

function Devices({ devices, leases }) {
  return html`<div class="table-box" tabindex="0" role="region" aria-label="Devices">
    <table>
      <thead><tr><th scope="col">Device</th><th scope="col">State</th><th scope="col">Model</th><th scope="col" class="number">Memory</th><th scope="col">Driver</th><th scope="col">Lease</th></tr></thead>
      <tbody>
        ${devices.map((it) => {
          const lease = leases.find((one) => one.resource === it.name || (it.pci && one.resource === it.pci));
          return html`<tr key=${it.name}>
            <th scope="row">${it.name}</th>
            <td>${it.unavailable ? html`<span class="state quiet">not usable</span><div class="muted">${it.unavailable}</div>` : html`<span class="state good">usable</span>${it.software && html` <span class="state wait">software</span>`}`}</td>
            <td>${it.model}</td>
            <td class="number">${it.memory_bytes ? quantity(it.memory_bytes, "bytes") : "–"}</td>
            <td>${[it.driver, it.interface].filter(Boolean).join(", ")}</td>
            <td>${lease?.holders.length ? html`${lease.holders.join("; ")}${lease.waiting.length > 0 && html`<div class="muted">waiting: ${lease.waiting.join("; ")}</div>`}` : html`<span class="muted">${it.unavailable ? "" : "free"}</span>`}</td>
          </tr>`;
        })}
      </tbody>
    </table>
  </div>`;
}
