/** The command line client as a process: everything but `ostler serve`. Called by bin/ostler.js. */
import { exitCode } from "./exit-code.ts";
import { Interrupted } from "./failure.ts";
import { runProgram } from "./program.ts";

const interruption = new AbortController();

/** The first signal lets the command say how to come back; a second one does not wait for that. */
function interrupt(code: number): void {
  if (interruption.signal.aborted) process.exit(code);
  interruption.abort(new Interrupted(code));
}
process.on("SIGINT", () => interrupt(exitCode.interrupted));
process.on("SIGTERM", () => interrupt(exitCode.terminated));

// A reader that has seen enough (`ostler runs list | head`) closes the pipe: nothing is wrong, and nobody reads on.
for (const stream of [process.stdout, process.stderr]) {
  stream.on("error", (error: NodeJS.ErrnoException) => {
    if (error.code !== "EPIPE") throw error;
    process.exit(128 + 13);
  });
}

process.exitCode = await runProgram({
  argv: process.argv.slice(2),
  // biome-ignore lint/style/noProcessEnv: this is where the process is handed on; config.ts reads it
  env: process.env,
  stdin: process.stdin,
  stdout: process.stdout,
  stderr: process.stderr,
  signal: interruption.signal,
  now: Date.now,
});
