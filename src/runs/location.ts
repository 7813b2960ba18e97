/** Where in a definition something is wrong, and what: `{ path: "tasks.build.steps[0].key", message: "…" }`. */
export interface Fault {
  readonly path: string;
  readonly message: string;
}

export type Path = readonly PropertyKey[];

/** `["tasks", "unit tests", "steps", 0]` -> `tasks["unit tests"].steps[0]`. */
export function formatPath(path: Path): string {
  let text = "";
  for (const part of path) {
    if (typeof part === "number") text += `[${part}]`;
    else if (/^[A-Za-z0-9_-]+$/.test(String(part))) text += text === "" ? String(part) : `.${String(part)}`;
    else text += `[${JSON.stringify(String(part))}]`;
  }
  return text;
}

/** `tasks.build: no such task`; a fault of the whole definition has no path. */
export function formatFault(fault: Fault): string {
  return fault.path === "" ? fault.message : `${fault.path}: ${fault.message}`;
}
