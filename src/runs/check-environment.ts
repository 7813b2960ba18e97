import type { Environment } from "./environment.ts";

const namePattern = /^[A-Za-z_][A-Za-z0-9_]{0,254}$/;

/** Reports names that no shell could read, and values that no process can be given. Never repeats a value. */
export function checkEnvironment(environment: Environment | undefined, report: (name: string, message: string) => void): void {
  for (const [name, value] of Object.entries(environment ?? {})) {
    if (!namePattern.test(name)) report(name, "is not a valid variable name (letters, digits and _, not beginning with a digit)");
    const text = typeof value === "string" ? value : value.secret;
    if (text.includes("\0")) report(name, "must not contain a NUL character");
  }
}
