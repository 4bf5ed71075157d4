// Components: preact, with the templates of htm.

import { createContext, h, render } from "./lib/preact.js";
import { useContext, useEffect, useErrorBoundary, useLayoutEffect, useMemo, useRef, useState } from "./lib/hooks.js";
import htm from "./lib/htm.js";

/** Tells htm to keep no element for the next time: a kept one holds on to whatever was drawn around it, for as long as the tab is open. */
function fresh(...parts) {
  this[0] = 3;
  return h(...parts);
}

export const html = htm.bind(fresh);
export { createContext, render, useContext, useEffect, useErrorBoundary, useLayoutEffect, useMemo, useRef, useState };
