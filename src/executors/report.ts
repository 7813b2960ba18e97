/** A message about an assignment, for the run that it belongs to. */
export interface Report {
  readonly assignment: string;
  /** The message as JSON: written to disk and sent as it is. */
  readonly message: string;
}
