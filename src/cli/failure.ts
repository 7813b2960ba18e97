import { exitCode } from "./exit-code.ts";

/** Ends the command with a message for people, what they can type next, and an exit code. */
export class Failure extends Error {
  readonly exitCode: number;
  /** Printed below the message, one line each. */
  readonly hints: readonly string[];

  constructor(message: string, options: { readonly exitCode?: number; readonly hints?: readonly string[] } = {}) {
    super(message);
    this.name = "Failure";
    this.exitCode = options.exitCode ?? exitCode.error;
    this.hints = options.hints ?? [];
  }
}

/** The command line itself is wrong. */
export function usage(message: string, hints: readonly string[] = []): Failure {
  return new Failure(message, { exitCode: exitCode.usage, hints });
}

/** The reason of the signal that ends a command when its user (Ctrl-C) or the system (SIGTERM) wants it to end. */
export class Interrupted extends Error {
  readonly exitCode: number;

  constructor(code: number) {
    super("interrupted");
    this.name = "Interrupted";
    this.exitCode = code;
  }
}
