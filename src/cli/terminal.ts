import type { ReadStream, WriteStream } from "node:tty";

/** A place to write to: a terminal knows its size. */
export type Output = NodeJS.WritableStream & Partial<Pick<WriteStream, "isTTY" | "columns" | "rows">>;
export type Input = NodeJS.ReadableStream & Partial<Pick<ReadStream, "isTTY">>;

/** Everything of the process that a command may touch. */
export interface Shell {
  readonly argv: readonly string[];
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly stdin: Input;
  readonly stdout: Output;
  readonly stderr: Output;
  /** Aborted with an `Interrupted` when the user wants the command to end. */
  readonly signal: AbortSignal;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
}

/** True where lines that were written can be drawn over. */
export function canRedraw(output: Output, env: Shell["env"]): boolean {
  return output.isTTY === true && env["TERM"] !== "dumb" && (output.columns ?? 0) > 0;
}

/** How many columns a table may take; undefined where nothing is to be cut: in a pipe, and on a terminal that does not know its size (0). */
export function tableWidth(output: Output): number | undefined {
  return (output.isTTY === true && output.columns) || undefined;
}

/** Resolves when `output` takes more: a reader that is slower than the server must not fill our memory. */
export function write(output: Output, data: string | Uint8Array, signal: AbortSignal): Promise<void> {
  if (output.write(data)) return Promise.resolve();
  return new Promise((resolve, reject) => {
    const settle = () => {
      output.removeListener("drain", settle);
      signal.removeEventListener("abort", settle);
      if (signal.aborted) reject(signal.reason);
      else resolve();
    };
    output.once("drain", settle);
    signal.addEventListener("abort", settle, { once: true });
  });
}
