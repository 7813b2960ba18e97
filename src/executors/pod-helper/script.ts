import { readFileSync } from "node:fs";
import { busybox, shell } from "./pod-layout.ts";

/** Without the lines that are comments: they would travel with every call. */
const read = (name: string) => readFileSync(new URL(`./${name}.sh`, import.meta.url), "utf8").replace(/^\s*#.*\n/gm, "");

/** The helper's scripts; what each does and needs is told at its head. */
export const scripts = {
  extract: read("extract"),
  job: read("job"),
  list: read("list"),
  part: read("part"),
  path: read("path"),
  pod: read("pod"),
  main: read("main"),
  ready: read("ready"),
  service: read("service"),
  start: read("start"),
  follow: read("follow"),
  started: read("started"),
  stop: read("stop"),
  touch: read("touch"),
} as const;

/** As one word of the shell, whatever it holds. */
export function quote(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}

/** Assignments of the variables that a script needs, in the helper's name space. */
export function assign(values: Readonly<Record<string, string | number>>): string {
  return Object.entries(values)
    .map(([name, value]) => `_ostler_${name}=${quote(String(value))}\n`)
    .join("");
}

/**
 * The command that runs a script from its stdin, and the stdin: what the script holds is seen on no command line and in no file.
 * What follows the script there is the script's own stdin.
 */
export function scriptCommand(script: string): { readonly command: readonly string[]; readonly input: Uint8Array } {
  const input = Buffer.from(script);
  return { command: [busybox, "sh", "-c", runScript(input.length), "ostler"], input };
}

/** The same, as another user: only root can. */
export function scriptCommandAs(user: string, script: string): ReturnType<typeof scriptCommand> {
  const input = Buffer.from(script);
  // The user's own shell may not be there.
  return { command: [busybox, "su", "-s", shell, user, "-c", runScript(input.length)], input };
}

/** `dd` reads not a byte too many. */
function runScript(bytes: number): string {
  return `eval "$(${busybox} dd bs=${bytes} count=1 iflag=fullblock 2>/dev/null)"`;
}
