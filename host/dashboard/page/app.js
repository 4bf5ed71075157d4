// The shell of the page: navigation, connection, sign-in, and the view that the address names.

import { html, render, useEffect, useErrorBoundary, useState } from "./ui.js";
import { renew, signIn, signOut, token, useData, useRefusal } from "./api.js";
import { recolour } from "./charts/plot.js";
import { useConnection, useLive } from "./live.js";
import { Caller } from "./caller.js";
import { link, open, useAddress } from "./state.js";
import { Compare } from "./views/compare.js";
import { Help } from "./views/help.js";
import { History } from "./views/history.js";
import { Live } from "./views/live.js";
import { Overview } from "./views/overview.js";
import { Plugins } from "./views/plugins.js";
import { Reports } from "./views/reports.js";
import { Results } from "./views/results.js";
import { Run } from "./views/run.js";
import { Runs } from "./views/runs.js";
import { Sql } from "./views/sql.js";

/** Name, title, component, whether it is in the navigation, and its key after `g`. */
const VIEWS = [
  ["overview", "Overview", Overview, "o"],
  ["live", "Live", Live, "l"],
  ["runs", "Runs", Runs, "r"],
  ["compare", "Compare", Compare, "c"],
  ["history", "History", History, "h"],
  ["results", "Results", Results, "t"],
  ["reports", "Reports", Reports, "p"],
  ["sql", "SQL", Sql, "s"],
  ["plugins", "Plugins and devices", Plugins, "d"],
  ["help", "Help", Help, "?"],
  ["run", "Run", Run, ""],
];

const THEME = "dyno-theme";
document.documentElement.dataset.theme = localStorage.getItem(THEME) ?? "auto";

function Theme() {
  const [theme, setTheme] = useState(document.documentElement.dataset.theme);
  const next = { auto: "light", light: "dark", dark: "auto" };
  const change = () => {
    document.documentElement.dataset.theme = next[theme];
    localStorage.setItem(THEME, next[theme]);
    setTheme(next[theme]);
    recolour();
  };
  return html`<button class="quiet" onClick=${change} title="Colours: automatic, light, dark">Theme: ${theme}</button>`;
}

const CONNECTIONS = { open: ["good", "live"], connecting: ["wait", "connecting"], lost: ["bad", "connection lost"] };

function Connection() {
  const { connection, retryAt } = useLive();
  const [, tick] = useState(0);
  useEffect(() => {
    if (connection !== "lost") return undefined;
    const timer = setInterval(() => tick((count) => count + 1), 1_000);
    return () => clearInterval(timer);
  }, [connection]);
  const [tone, word] = CONNECTIONS[connection];
  const wait = connection === "lost" ? `, next attempt in ${Math.max(0, Math.ceil((retryAt - Date.now()) / 1000))} s` : "";
  return html`<span class=${`state ${tone}`} id="connection" role="status" title="Whether changes on the server reach this page">${word}${wait}</span>`;
}

function SignIn({ reason }) {
  const [text, setText] = useState("");
  const submit = (event) => {
    event.preventDefault();
    if (text.trim()) signIn(text);
  };
  return html`<main class="sign-in">
    <h1>Sign in</h1>
    <p role="alert">${reason}</p>
    <form onSubmit=${submit}>
      <label class="field"><span>Token</span><input type="password" autocomplete="off" value=${text} onInput=${(event) => setText(event.target.value)} /></label>
      <button class="primary" disabled=${!text.trim()}>Sign in</button>
    </form>
    <p class="muted">The operator of the server has the tokens, in the file that <code>--token-file</code> names. This tab forgets the token when it is closed.</p>
  </main>`;
}

function Shell() {
  const state = useAddress();
  const refused = useRefusal();
  useConnection();
  const me = useData(refused ? null : "api/me");
  const [menu, setMenu] = useState(false);
  const name = state.view ?? "overview";
  const [, title, View] = VIEWS.find(([known]) => known === name) ?? [];
  useEffect(() => {
    document.title = title ? `${title} – dyno` : "dyno";
    setMenu(false);
  }, [title]);
  useKeys();
  if (refused) return html`<${SignIn} reason=${refused} />`;
  return html`<${Caller.Provider} value=${me.data ?? { scope: "read" }}>
    <a class="skip" href="#main">Skip to the content</a>
    <header>
      <a class="brand" href=${link({})}><img src="page/icon.svg" alt="" width="24" height="24" /> dyno</a>
      <button class="menu" aria-expanded=${menu} aria-controls="nav" onClick=${() => setMenu(!menu)}>Menu</button>
      <nav id="nav" aria-label="Views" class=${menu ? "open" : ""}>
        ${VIEWS.filter(([, , , key]) => key).map(
          ([view, title]) => html`<a key=${view} href=${link(view === "overview" ? {} : { view })} aria-current=${view === name ? "page" : undefined}>${title}</a>`,
        )}
      </nav>
      <div class="status">
        <${Connection} />
        <${Theme} />
        ${token() && html`<button class="quiet" onClick=${signOut} title=${`Signed in as ${me.data?.name ?? "…"}, scope ${me.data?.scope ?? "…"}`}>Sign out</button>`}
      </div>
    </header>
    <main id="main" tabindex="-1">
      <${Guarded} key=${name}>${View ? html`<${View} />` : html`<h1>There is no view “${name}”</h1><p><a href="?">Go to the overview.</a></p>`}<//>
    </main>
    <footer class="muted">dyno ${me.data?.version ?? ""} · <a href="docs">API</a> · times are those of your clock</footer>
  <//>`;
}

/** A fault of a view does not take the navigation with it. */
function Guarded({ children }) {
  const [error, reset] = useErrorBoundary();
  if (!error) return children;
  return html`<div class="trouble" role="alert"><p>This view failed: ${String(error.message ?? error)}</p><button onClick=${() => (renew(), reset())}>Try again</button></div>`;
}

/** Keys: `g` and a letter go to a view, `/` goes to the first filter, `?` to the help. */
function useKeys() {
  useEffect(() => {
    let wasG = 0;
    const press = (event) => {
      const isTyping = event.target.closest?.("input, textarea, select, [contenteditable]");
      if (isTyping || event.ctrlKey || event.metaKey || event.altKey) return;
      const goes = Date.now() - wasG < 1_000;
      wasG = 0;
      if (event.key === "g") wasG = Date.now();
      else if (event.key === "/") document.querySelector("main input, main select")?.focus();
      else if (event.key === "?") open({ view: "help" });
      else if (goes) {
        const view = VIEWS.find(([, , , key]) => key === event.key);
        if (!view) return;
        open({ view: view[0] });
      } else return;
      event.preventDefault();
    };
    addEventListener("keydown", press);
    return () => removeEventListener("keydown", press);
  }, []);
}

const root = document.getElementById("app");
root.replaceChildren();
render(html`<${Shell} />`, root);
