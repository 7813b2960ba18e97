/** Every error code that a caller can meet, and its HTTP status. To add an error: one line here. */
export const statusOf = {
  bad_request: 400,
  invalid_definition: 400,
  unauthorized: 401,
  forbidden: 403,
  not_found: 404,
  run_not_found: 404,
  task_not_found: 404,
  step_not_found: 404,
  attempt_not_found: 404,
  log_deleted: 404,
  artifact_not_found: 404,
  executor_not_found: 404,
  executor_group_not_found: 404,
  pool_not_found: 404,
  dead_letter_not_found: 404,
  source_not_found: 404,
  method_not_allowed: 405,
  not_acceptable: 406,
  conflict: 409,
  run_not_running: 409,
  run_not_queued: 409,
  run_not_terminal: 409,
  run_not_restartable: 409,
  not_waiting_approval: 409,
  executor_not_lost: 409,
  idempotency_conflict: 409,
  run_deleted: 409,
  events_trimmed: 410,
  body_too_large: 413,
  unsupported_media_type: 415,
  range_not_satisfiable: 416,
  too_many_requests: 429,
  internal: 500,
  bad_gateway: 502,
  overloaded: 503,
  maintenance: 503,
  not_confirmed: 503,
  redis_unavailable: 503,
  ost_unavailable: 503,
  not_ready: 503,
} as const;

export type ErrorCode = keyof typeof statusOf;

/** The one error class of expected refusals: `message` is for people, `code` for programs, `details` is JSON. */
export class OstlerError extends Error {
  readonly code: ErrorCode;
  readonly details: Readonly<Record<string, unknown>>;

  constructor(
    code: ErrorCode,
    message: string,
    options: { readonly details?: Readonly<Record<string, unknown>>; readonly cause?: unknown } = {},
  ) {
    super(message, { cause: options.cause });
    this.name = "OstlerError";
    this.code = code;
    this.details = options.details ?? {};
  }

  get status(): (typeof statusOf)[ErrorCode] {
    return statusOf[this.code];
  }
}

/** Ends a switch over a union: fails to compile when a case is missing. */
export function assertNever(value: never): never {
  throw new Error(`unexpected value: ${JSON.stringify(value)}`);
}
