/** Why an attempt is to end before its steps have. */
export type Halt =
  | { readonly type: "stop" }
  | { readonly type: "timeout"; readonly message: string }
  /** The executor was without an answer for its fence time: others may run the task again. */
  | { readonly type: "fence" }
  /** The executor goes, the pod stays: for whoever attaches to it next. */
  | { readonly type: "leave" };

/** Interrupts an attempt. */
export interface Halts {
  /** Aborted with a Halt: whatever the executor itself does for the attempt ends. */
  readonly halt: AbortSignal;
  /** Only for `leave`: until then the end of what runs in the pod is waited for. */
  readonly leave: AbortSignal;
}

/** The owner's side of Halts. The first halt counts. */
export interface HaltControl extends Halts {
  readonly stop: (halt: Halt) => void;
}

/** `leave` is shared by all attempts of a process, since it leaves all of them at once; their owner then stops each with `leave`. */
export function createHalts(leave: AbortSignal): HaltControl {
  const halt = new AbortController();
  return { halt: halt.signal, leave, stop: (reason) => halt.abort(reason) };
}

export function haltOf({ halt }: Halts): Halt | undefined {
  // Only ever aborted with a Halt: see createHalts.
  return halt.aborted ? (halt.reason as Halt) : undefined;
}
