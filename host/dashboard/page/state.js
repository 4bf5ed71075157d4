// The address is the state of the page: view, filters, zoom and open rows are its parameters. A link shows what its sender saw.

import { useEffect, useState } from "./ui.js";

const listeners = new Set();

/** The parameters of an address, as an object of strings. */
export function parse(search) {
  return Object.fromEntries(new URLSearchParams(search));
}

/** An address with these parameters. Empty ones are left out. */
export function link(state) {
  const kept = Object.entries(state).filter(([, value]) => value !== undefined && value !== null && value !== "");
  const text = new URLSearchParams(kept.map(([name, value]) => [name, String(value)])).toString();
  return text ? `?${text}` : "?";
}

/** The current state. */
export function current() {
  return parse(location.search);
}

/** The address after some changes of the current state. */
export function changed(changes) {
  return link({ ...current(), ...changes });
}

/** Goes to another view, which begins without the parameters of this one. */
export function open(state) {
  move(link(state), false);
}

/** Changes parameters. `replace` makes no new entry in the browser's history: for typing and zooming. */
export function set(changes, { replace = false } = {}) {
  move(changed(changes), replace);
}

function move(address, replace) {
  if (address === (location.search || "?")) return;
  history[replace ? "replaceState" : "pushState"](null, "", address);
  tell();
}

function tell() {
  const state = current();
  listeners.forEach((listener) => listener(state));
}

addEventListener("popstate", tell);

// Links to views work without loading the page again; with a modifier key the browser opens them as usual.
addEventListener("click", (event) => {
  const anchor = event.target.closest?.("a[href^='?']");
  if (!anchor || event.defaultPrevented || event.button !== 0) return;
  if (event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
  event.preventDefault();
  const view = current().view;
  move(anchor.getAttribute("href"), false);
  if (current().view !== view) scrollTo(0, 0);
});

/** The state, for a component that is drawn again whenever it changes. */
export function useAddress() {
  const [state, setState] = useState(current);
  useEffect(() => {
    listeners.add(setState);
    return () => listeners.delete(setState);
  }, []);
  return state;
}
