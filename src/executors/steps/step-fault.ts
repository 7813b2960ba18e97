import type { AttemptReason } from "../../runs/outcome.ts";

/** A step that cannot succeed: the attempt ends as `reason`. The message goes into the step's log and the attempt's record. */
export class StepFault extends Error {
  readonly reason: AttemptReason;

  constructor(reason: AttemptReason, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = "StepFault";
    this.reason = reason;
  }
}
