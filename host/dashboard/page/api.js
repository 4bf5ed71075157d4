// Asking the server. The newest question wins: the answer to an older one is never shown.

import { useEffect, useRef, useState } from "./ui.js";

const TOKEN = "dyno-token";
/** Answers that are kept for the next view; the server says when they are old. */
const MOST_KEPT = 60;
const kept = new Map();
const signing = new Set();
const renewing = new Set();
let why = "";

/** What the server refused, as a sentence. */
export class Failure extends Error {
  constructor(status, detail) {
    super(detail);
    this.status = status;
  }
}

/** The token of this tab. It is forgotten when the tab is closed. */
export function token() {
  return sessionStorage.getItem(TOKEN) ?? "";
}

export function signIn(text) {
  sessionStorage.setItem(TOKEN, text.trim());
  why = "";
  renew();
  signing.forEach((listener) => listener(""));
}

export function signOut() {
  sessionStorage.removeItem(TOKEN);
  refuse("You are signed out.");
}

function refuse(reason) {
  why = reason;
  kept.clear();
  signing.forEach((listener) => listener(reason));
}

/** Why a token is needed now; empty if none is. */
export function useRefusal() {
  const [reason, setReason] = useState(why);
  useEffect(() => {
    signing.add(setReason);
    return () => signing.delete(setReason);
  }, []);
  return reason;
}

/** Everything shown may be old: whoever shows data asks again. */
export function renew() {
  kept.clear();
  renewing.forEach((listener) => listener());
}

let due = 0;

/** The same, at most once per second: for events, of which many may come at once. */
export function renewSoon() {
  due ||= setTimeout(() => {
    due = 0;
    renew();
  }, 1_000);
}

/** Calls the server. Resolves to JSON, or to the response itself with `raw`. */
export async function ask(path, { method = "GET", body, signal, raw = false } = {}) {
  const headers = {};
  if (token()) headers.authorization = `Bearer ${token()}`;
  if (body !== undefined) headers["content-type"] = "application/json";
  let response;
  try {
    response = await fetch(path, {
      method,
      headers,
      signal,
      body: body === undefined ? undefined : JSON.stringify(body),
      credentials: "same-origin",
    });
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new Failure(0, "The server does not answer. The page asks again when it is back.");
  }
  if (!response.ok) {
    const problem = await response.json().catch(() => ({}));
    const detail = problem.detail ?? `${response.status} ${response.statusText}`;
    if (response.status === 401) {
      refuse(token() ? "The server no longer accepts this token: it has expired or was revoked." : "This server needs a token.");
    }
    throw new Failure(response.status, sentence(detail));
  }
  return raw ? response : response.json();
}

function sentence(text) {
  const first = text.charAt(0).toUpperCase() + text.slice(1);
  return /[.!?]$/.test(first) ? first : `${first}.`;
}

function remembered(path, signal) {
  const known = kept.get(path);
  if (known) return known;
  const answer = ask(path, { signal });
  kept.set(path, answer);
  answer.catch(() => kept.get(path) === answer && kept.delete(path));
  if (kept.size > MOST_KEPT) kept.delete(kept.keys().next().value);
  return answer;
}

/**
 * Data of a path: `{data, error, loading}`. A path of `null` asks nothing. While a newer answer is awaited, `data` is the one
 * before, so that nothing flickers.
 */
export function useData(path) {
  const [state, setState] = useState({ path: null });
  const [round, setRound] = useState(0);
  const newest = useRef(0);
  useEffect(() => {
    const again = () => setRound((round) => round + 1);
    renewing.add(again);
    return () => renewing.delete(again);
  }, []);
  useEffect(() => {
    const number = ++newest.current;
    if (path === null) {
      setState({ path });
      return undefined;
    }
    const settle = (found) => number === newest.current && setState((before) => ({ ...found, path, data: found.data ?? (before.path === path ? before.data : undefined) }));
    remembered(path).then(
      (data) => settle({ data }),
      (error) => settle({ error }),
    );
    return undefined;
  }, [path, round]);
  return { data: state.data, error: state.path === path ? state.error : undefined, loading: path !== null && state.path !== path };
}

/** Saves an answer as a file. A link could not send the token. */
export async function download(path, name) {
  const response = await ask(path, { raw: true });
  save(await response.blob(), name);
}

export function save(blob, name) {
  const address = URL.createObjectURL(blob);
  const anchor = document.createElement("a");
  anchor.href = address;
  anchor.download = name;
  anchor.click();
  setTimeout(() => URL.revokeObjectURL(address), 10_000);
}
