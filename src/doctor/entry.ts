/** `ostler doctor` as a process. Called by bin/ostler.js. */
import { runDoctor } from "./program.ts";

// Whatever a check left open must not keep the process.
process.exit(
  await runDoctor({
    argv: process.argv.slice(3),
    // biome-ignore lint/style/noProcessEnv: this is where the process is handed on; config.ts reads it
    env: process.env,
    stdout: process.stdout,
    stderr: process.stderr,
    signal: new AbortController().signal,
  }),
);
