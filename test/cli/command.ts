import { Readable, Writable } from "node:stream";
import { runProgram } from "../../src/cli/program.ts";
import type { Output } from "../../src/cli/terminal.ts";

export interface CommandOptions {
  readonly url?: string;
  readonly env?: Readonly<Record<string, string>>;
  readonly stdin?: string;
  readonly signal?: AbortSignal;
  /** Makes stdout a terminal of this size. */
  readonly terminal?: { readonly columns: number; readonly rows: number };
  readonly now?: () => number;
  /** Told of everything that is written so far. */
  readonly onOutput?: (stdout: string) => void;
}

/** Runs a command line in this process against a server, as bin/ostler.js does; resolves with what it printed and its exit code. */
export async function ostler(argv: readonly string[], options: CommandOptions = {}) {
  let [stdout, stderr] = ["", ""];
  const out = collect((text) => {
    stdout += text;
    options.onOutput?.(stdout);
  });
  const code = await runProgram({
    argv,
    env: { OSTLER_URL: options.url ?? "http://127.0.0.1:1", ...options.env },
    stdin: Readable.from(options.stdin === undefined ? [] : [options.stdin]),
    stdout: options.terminal ? Object.assign(out, { isTTY: true, ...options.terminal }) : out,
    stderr: collect((text) => {
      stderr += text;
    }),
    signal: options.signal ?? new AbortController().signal,
    now: options.now ?? Date.now,
  });
  return { code, stdout, stderr };
}

function collect(take: (text: string) => void): Output {
  return new Writable({
    decodeStrings: false,
    write: (chunk: string | Buffer, _, done) => {
      take(chunk.toString());
      done();
    },
  });
}
