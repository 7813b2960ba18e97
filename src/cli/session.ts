import type { Client } from "../client/client.ts";
import { createClient } from "../client/client.ts";
import { type ClientConfig, ConfigError, parseClientConfig } from "../config.ts";
import { exitCode } from "./exit-code.ts";
import { Failure } from "./failure.ts";
import type { Shell } from "./terminal.ts";
import { type Paint, paintFor } from "./text/colour.ts";

export type OutputFormat = "table" | "json" | "yaml" | "name";

/** The flags that every command takes, by the name of their setting. */
export interface GlobalFlags {
  readonly url?: string;
  readonly token?: string;
  readonly outputFormat?: string;
}

/** What a command works with. */
export interface Session {
  readonly shell: Shell;
  readonly signal: AbortSignal;
  readonly client: Client;
  readonly format: OutputFormat;
  /** Colours for stdout. */
  readonly paint: Paint;
  /** Data: a line on stdout. */
  readonly print: (line: string) => void;
  /** Talk: a line on stderr. */
  readonly say: (line: string) => void;
}

/** Reads the settings; wrong ones are a usage failure that names all of them. */
export function createSession(shell: Shell, flags: GlobalFlags): Session {
  const { url, token, outputFormat } = readSettings(shell, flags);
  return {
    shell,
    signal: shell.signal,
    client: createClient({ url, token }),
    format: outputFormat ?? "table",
    paint: paintFor(shell.stdout),
    print: (line) => {
      shell.stdout.write(`${line}\n`);
    },
    say: (line) => {
      shell.stderr.write(`${line}\n`);
    },
  };
}

function readSettings({ env }: Shell, { url, token, outputFormat }: GlobalFlags): ClientConfig {
  try {
    return parseClientConfig({ env, flags: { ...(url && { url }), ...(token && { token }), ...(outputFormat && { outputFormat }) } });
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    const [first = "wrong settings", ...others] = error.faults;
    throw new Failure(first, { exitCode: exitCode.usage, hints: others });
  }
}
