import { expect, it } from "vitest";
import { isPermanentImageFault } from "../../src/executors/kubernetes/image-fault.ts";

it.each([
  'failed to resolve reference "docker.io/library/nosuch:1": docker.io/library/nosuch:1: not found',
  "pull access denied, repository does not exist or may require authorization: server message: insufficient_scope: authorization failed",
  "failed to authorize: failed to fetch anonymous token: unexpected status from GET request to https://r/token: 401 Unauthorized",
  "unexpected status from HEAD request to https://r/v2/x/manifests/1: 403 Forbidden",
  "manifest unknown: manifest tagged by 1 is not found",
  "no match for platform in manifest: not found",
])("takes for permanent: %s", (message) => expect(isPermanentImageFault(message)).toBe(true));

it.each([
  'failed to do request: Head "https://registry.invalid/v2/none/manifests/1": dial tcp: lookup registry.invalid on 127.0.0.1:53: no such host',
  "dial tcp 10.0.0.1:443: i/o timeout",
  "unexpected status from GET request to https://r/v2/: 503 Service Unavailable",
  "429 Too Many Requests - Server message: toomanyrequests: You have reached your pull rate limit",
  "connection reset by peer",
  "",
])("takes for passing: %s", (message) => expect(isPermanentImageFault(message)).toBe(false));
