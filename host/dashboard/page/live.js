// What happens on the server right now: one WebSocket, which reconnects by itself, and what its events add up to.

import { useEffect, useState } from "./ui.js";
import { ask, renew, renewSoon, token, useRefusal } from "./api.js";

/** Pauses between attempts to reconnect [ms]. */
const FIRST_PAUSE = 500;
const LONGEST_PAUSE = 10_000;
/** Listeners are told at most this often [ms], however many events arrive. */
const BEAT = 100;
/** A server that sends nothing for so long is asked whether it is there [ms]. */
const SILENCE = 15_000;
/** Lines of a plugin's output, and estimates of a case, that are kept. */
const MOST_LINES = 200;
const MOST_ESTIMATES = 400;
/** Ended runs of this visit that stay in memory. */
const MOST_ENDED = 20;

const store = {
  connection: "connecting",
  since: Date.now(),
  retryAt: 0,
  queue: null,
  runs: new Map(),
  news: [],
};
const listeners = new Set();
let socket = null;
let wasOpen = false;
let pause = FIRST_PAUSE;
let due = 0;
let stopped = true;
let watch = 0;

function tell() {
  if (due) return;
  due = setTimeout(() => {
    due = 0;
    listeners.forEach((listener) => listener({}));
  }, BEAT);
}

/** The live state, for a component that is drawn again when it changes. */
export function useLive() {
  const [, setState] = useState({});
  useEffect(() => {
    listeners.add(setState);
    return () => listeners.delete(setState);
  }, []);
  return store;
}

/** Keeps the connection open as long as the server lets this tab in. */
export function useConnection() {
  const refused = useRefusal();
  useEffect(() => {
    stopped = Boolean(refused);
    if (!stopped) connect();
    return () => {
      stopped = true;
      socket?.close();
    };
  }, [refused]);
}

function connect() {
  if (stopped || (socket && socket.readyState <= WebSocket.OPEN)) return;
  const address = new URL("api/events/ws", document.baseURI);
  address.protocol = address.protocol === "https:" ? "wss:" : "ws:";
  address.search = "";
  if (token()) address.searchParams.set("access_token", token());
  store.connection = "connecting";
  tell();
  socket = new WebSocket(address);
  socket.onopen = () => {
    pause = FIRST_PAUSE;
    store.connection = "open";
    store.since = Date.now();
    // Whatever happened meanwhile was missed. At first that is next to nothing, and answers that are on their way are not thrown away.
    if (wasOpen) renew();
    else renewSoon();
    wasOpen = true;
    refresh();
    tell();
  };
  socket.onmessage = ({ data }) => {
    listen();
    const told = JSON.parse(data);
    if (told.event) take(told);
  };
  socket.onclose = () => {
    clearTimeout(watch);
    socket = null;
    if (stopped) return;
    store.connection = "lost";
    store.retryAt = Date.now() + pause;
    setTimeout(connect, pause);
    pause = Math.min(pause * 2, LONGEST_PAUSE);
    tell();
    // A refused token closes the socket without a word; the answer to a question says so.
    ask("api/me").catch(() => {});
  };
  listen();
}

/** Notices a connection that is dead although nobody closed it. */
function listen() {
  clearTimeout(watch);
  watch = setTimeout(() => {
    if (socket?.readyState !== WebSocket.OPEN) {
      socket?.close();
      return;
    }
    socket.send("ping");
    watch = setTimeout(() => socket?.close(), SILENCE);
  }, SILENCE);
}

let refreshing = false;
let isStale = false;

/** Asks for the queue, and for the state of runs that began before this page was opened. */
export async function refresh() {
  if (refreshing) {
    isStale = true;
    return;
  }
  refreshing = true;
  isStale = false;
  const asked = Date.now();
  try {
    const queue = await ask("api/queue");
    store.queue = queue;
    const unknown = queue.running.filter((run) => !store.runs.get(run)?.isWhole);
    for (const run of unknown.slice(0, 20)) adopt(await ask(`api/runs/${run}`));
    for (const [run, known] of store.runs) {
      // The answer is older than what an event has said since.
      if (!known.endedAt && known.heardAt < asked && !queue.running.includes(run)) {
        known.status = "ended";
        known.endedAt = Date.now();
      }
    }
  } catch {
    // The next event or reconnection asks again.
  } finally {
    refreshing = false;
    tell();
    if (isStale) setTimeout(refresh, 500);
  }
}

function runOf(id) {
  if (!store.runs.has(id)) {
    store.runs.set(id, { id, status: "running", startedAt: Date.now(), heardAt: Date.now(), cases: new Map(), total: 0, done: 0, output: [], current: null });
    forget();
  }
  return store.runs.get(id);
}

function forget() {
  const ended = [...store.runs.values()].filter((run) => run.endedAt).sort((a, b) => a.endedAt - b.endedAt);
  ended.slice(0, Math.max(0, ended.length - MOST_ENDED)).forEach((run) => store.runs.delete(run.id));
}

function adopt(record) {
  const run = runOf(record.id);
  run.total = record.cases.length;
  run.createdAt = record.created_at;
  run.tags = record.spec?.tags ?? [];
  run.isWhole = true;
  record.cases.forEach((it) => {
    const known = caseOf(run, it.index);
    Object.assign(known, { benchmark: it.benchmark, params: it.params, device: it.device, plugin: it.plugin });
    if (!known.state || known.state === "queued") known.state = it.status.state;
  });
  count(run);
}

function count(run) {
  run.done = [...run.cases.values()].filter((it) => !["queued", "running", "waiting"].includes(it.state)).length;
}

function caseOf(run, index) {
  if (!run.cases.has(index)) run.cases.set(index, { index, state: "queued", estimates: [], launches: 0 });
  return run.cases.get(index);
}

function take({ run: id, event }) {
  if (id === null) {
    store.news.push({ at: Date.now(), ...event });
    store.news.splice(0, Math.max(0, store.news.length - 50));
    renewSoon();
    tell();
    return;
  }
  const run = runOf(id);
  run.heardAt = Date.now();
  if (run.status === "ended" && event.event !== "run_finished") Object.assign(run, { status: "running", endedAt: undefined });
  const it = typeof event.case === "number" ? caseOf(run, event.case) : null;
  switch (event.event) {
    case "run_started":
      run.total = event.cases;
      run.status = "running";
      refresh();
      break;
    case "waiting":
      Object.assign(it, { state: "waiting", holder: event.holder, device: event.device });
      run.current = event.case;
      break;
    case "waiting_for_database":
      run.note = `waits for the database: ${event.holder}`;
      break;
    case "case_started":
      Object.assign(it, { state: "running", holder: undefined, benchmark: event.benchmark, params: event.params, device: event.device, plugin: event.plugin, startedAt: Date.now() });
      run.current = event.case;
      break;
    case "compiling":
      it.stage = "compiling the component";
      break;
    case "launch_started":
      it.launches = event.launch + 1;
      break;
    case "stage_entered":
      it.stage = event.stage;
      break;
    case "progress":
      it.stage = event.stage;
      it.progress = event.fraction;
      break;
    case "estimated":
      it.estimate = event.estimate;
      it.estimates.push(event.estimate);
      if (it.estimates.length > MOST_ESTIMATES) it.estimates = it.estimates.filter((_, place) => place % 2);
      break;
    case "logged":
      run.output.push({ case: event.case, text: event.text });
      run.output.splice(0, Math.max(0, run.output.length - MOST_LINES));
      break;
    case "case_finished": {
      const done = event.case;
      const known = caseOf(run, done.index);
      Object.assign(known, { state: done.status.state, reason: done.status.reason, benchmark: done.benchmark, params: done.params, device: done.device, plugin: done.plugin, estimates: [], metrics: done.metrics });
      count(run);
      break;
    }
    case "run_finished":
      run.status = event.status;
      run.endedAt = Date.now();
      run.current = null;
      forget();
      renewSoon();
      refresh();
      break;
    default:
  }
  tell();
}
