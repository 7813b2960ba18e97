import { OstlerError } from "../errors.ts";

const unavailable = "Redis is not available right now; what was asked may or may not have happened, and asking again is safe";

/** Redis's own error replies begin with a code in capitals: that is their protocol, so reading it is not parsing prose. */
const refusalOfReply: Readonly<Record<string, () => OstlerError>> = {
  OOM: () => new OstlerError("overloaded", "Redis is out of memory; nothing was changed"),
  LOADING: () => new OstlerError("redis_unavailable", "Redis is still loading its data; nothing was changed"),
  READONLY: () => new OstlerError("redis_unavailable", "this Redis is a read-only replica; nothing was changed"),
  MISCONF: () => new OstlerError("redis_unavailable", "Redis cannot write to its disk; nothing was changed"),
  NOREPLICAS: () => new OstlerError("redis_unavailable", "Redis has too few replicas to accept writes; nothing was changed"),
  MASTERDOWN: () => new OstlerError("redis_unavailable", "Redis has lost its primary; nothing was changed"),
  CLUSTERDOWN: () => new OstlerError("redis_unavailable", "the Redis cluster is down; nothing was changed"),
  BUSY: () => new OstlerError("redis_unavailable", unavailable),
};

const connectionErrors = new Set([
  "ECONNREFUSED",
  "ECONNRESET",
  "EPIPE",
  "ETIMEDOUT",
  "EHOSTUNREACH",
  "ENETUNREACH",
  "ENOTFOUND",
  "NR_CLOSED",
]);
/** What the driver throws by itself has neither class nor code, only these fixed texts. */
const driverTexts = new Set([
  "Connection is closed.",
  "Command timed out",
  "Stream isn't writeable and enableOfflineQueue options is false",
  "connect ETIMEDOUT",
]);

function codeOf(error: Error): string {
  return "code" in error && typeof error.code === "string" ? error.code : "";
}

/** A fault of Redis as what a caller is told; undefined for every other error. (Object storage explains its own.) */
export function refusalOfFault(error: unknown): OstlerError | undefined {
  if (!(error instanceof Error)) return undefined;
  if (error.name === "ReplyError") {
    const word = /^[A-Z]+/.exec(error.message)?.[0] ?? "";
    const inScript = /\b(OOM|READONLY|MISCONF|NOREPLICAS) /.exec(error.message)?.[1] ?? "";
    return (refusalOfReply[word] ?? refusalOfReply[inScript])?.();
  }
  const code = codeOf(error);
  if (error.name === "MaxRetriesPerRequestError" || connectionErrors.has(code) || driverTexts.has(error.message)) {
    return new OstlerError("redis_unavailable", unavailable, { cause: error });
  }
  if ("syscall" in error && error.syscall === "connect") return new OstlerError("redis_unavailable", unavailable, { cause: error });
  return undefined;
}
