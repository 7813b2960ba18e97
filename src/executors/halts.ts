/** Why an attempt is to end before its steps have. */
export type Halt =
  | { readonly type: "stop" }
  | { readonly type: "timeout"; readonly message: string }
  /** The executor was without an answer for its fence time, or was told that it is lost: others may run the task again. */
  | { readonly type: "fence" };

/** The two ways in which an attempt is interrupted. */
export interface Halts {
  /** The steps are stopped, the attempt ends; the reason is a Halt. */
  readonly halt: AbortSignal;
  /** The executor leaves at once: the pod goes on, for whoever attaches to it next. */
  readonly leave: AbortSignal;
}

export function haltOf(signal: AbortSignal): Halt | undefined {
  // Only ever aborted with a Halt, by the attempt's owner.
  return signal.aborted ? (signal.reason as Halt) : undefined;
}
