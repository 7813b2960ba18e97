/** `ostler serve` cannot start, or go on, for a reason that its user can mend: `message` says what to do, and no stack is needed. */
export class StartError extends Error {
  override readonly name = "StartError";
}

/** What an error of the system says, without its code and call: `permission denied, mkdir '/x'`. */
export function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message.replace(/^[A-Z]+: /, "") : String(error);
}
