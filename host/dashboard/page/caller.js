// Who uses the page, and what the server lets them do. What it would refuse is not offered.

import { createContext, useContext } from "./ui.js";

export const Caller = createContext({ scope: "read" });

const ORDER = ["read", "run", "admin"];

/** Whether the caller has this scope. */
export function useMay(scope) {
  const caller = useContext(Caller);
  return ORDER.indexOf(caller.scope) >= ORDER.indexOf(scope);
}
