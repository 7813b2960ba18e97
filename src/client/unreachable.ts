import { ApiError } from "./api-error.ts";

const words: Readonly<Record<string, string>> = {
  ECONNREFUSED: "connection refused",
  ECONNRESET: "the connection was closed before the answer came",
  EPIPE: "the connection was closed before the answer came",
  UND_ERR_SOCKET: "the connection was closed before the answer came",
  ENOTFOUND: "there is no such host",
  EAI_AGAIN: "the host's name cannot be resolved right now",
  ETIMEDOUT: "the connection timed out",
  UND_ERR_CONNECT_TIMEOUT: "the connection timed out",
  EHOSTUNREACH: "no route to the host",
  ENETUNREACH: "the network is unreachable",
  EACCES: "not permitted",
  DEPTH_ZERO_SELF_SIGNED_CERT: "its certificate is self-signed",
  SELF_SIGNED_CERT_IN_CHAIN: "its certificate is signed by an authority that is not trusted here",
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: "its certificate is signed by an authority that is not trusted here",
  CERT_HAS_EXPIRED: "its certificate has expired",
  ERR_TLS_CERT_ALTNAME_INVALID: "its certificate is for another name",
  ERR_SSL_WRONG_VERSION_NUMBER: "it does not speak TLS (http instead of https?)",
  HPE_INVALID_CONSTANT: "it does not speak HTTP",
};

const retriedWords = new Set(["ECONNRESET", "EPIPE", "UND_ERR_SOCKET", "EAI_AGAIN"]);

/** The system's error code, which `fetch` hides in causes (and in lists, where a name has several addresses). */
function causeCode(error: unknown): string {
  if (typeof error !== "object" || error === null) return "";
  if ("code" in error && typeof error.code === "string") return error.code;
  return "cause" in error ? causeCode(error.cause) : "";
}

/** What a `fetch` that threw means, in words for people. `url` is the server's, without the path. */
export function unreachable(error: unknown, url: string): ApiError {
  const code = causeCode(error);
  const why = words[code] ?? (code || (error instanceof Error ? error.message : String(error)));
  return new ApiError("unreachable", `cannot reach ${url}: ${why}`, { cause: error, details: code ? { cause: code } : {} });
}

/** True if the connection broke under way, so that trying again at once makes sense; nobody listening is not that. */
export function brokeUnderWay(error: ApiError): boolean {
  return error.code === "unreachable" && retriedWords.has(String(error.details["cause"]));
}
