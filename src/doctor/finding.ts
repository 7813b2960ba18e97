/** What one check has found, in a sentence; where it is not well, also what to do. */
export type Finding =
  | { readonly check: string; readonly state: "ok"; readonly message: string }
  | { readonly check: string; readonly state: "warning" | "failed"; readonly message: string; readonly advice: string };

/** As it should be. */
export function ok(check: string, message: string): Finding {
  return { check, state: "ok", message };
}

/** Works, but not as well or not for as long as it should. */
export function warning(check: string, message: string, advice: string): Finding {
  return { check, state: "warning", message, advice };
}

/** Does not work. */
export function failed(check: string, message: string, advice: string): Finding {
  return { check, state: "failed", message, advice };
}

/** The worst state of all findings. */
export function worstState(findings: readonly Finding[]): Finding["state"] {
  const states = findings.map(({ state }) => state);
  return states.includes("failed") ? "failed" : states.includes("warning") ? "warning" : "ok";
}
