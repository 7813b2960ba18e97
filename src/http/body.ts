import type { MiddlewareHandler } from "hono";
import { OstlerError } from "../errors.ts";
import { type DocumentFormat, documentAsJson, tooLarge } from "./document-text.ts";
import type { HttpEnv } from "./env.ts";
import { createYamlThread } from "./yaml-thread.ts";

/** What is read on and thrown away of a body that is too large, so that its sender gets to read the 413. */
const discardBytes = 256 * 1024 * 1024;
const discardMs = 10_000;

/** Nothing is read of other methods' bodies; some (TRACE) could not be handed on as requests at all. */
const withDocument: ReadonlySet<string> = new Set(["POST", "PUT", "PATCH"]);

/** A longer YAML text is read in a thread, which takes some 50 ms to start. */
const shortYamlChars = 16 * 1024;

const formats: Readonly<Record<string, DocumentFormat>> = {
  "application/json": "json",
  "application/yaml": "yaml",
  "application/x-yaml": "yaml",
  "text/yaml": "yaml",
};

/** The format that a content type names. Undeclared and other types are refused, which also keeps out the forms of foreign web pages. */
function formatOf(contentType: string | undefined): DocumentFormat {
  const [type = "", ...parameters] = (contentType ?? "").toLowerCase().split(";");
  const format = formats[type.trim()];
  const charset = parameters.map((parameter) => parameter.trim()).find((parameter) => parameter.startsWith("charset="));
  if (!format || (charset !== undefined && !/^charset="?utf-8"?$/.test(charset))) {
    const given = contentType === undefined ? "no content type" : `content type ${contentType.slice(0, 100)}`;
    throw new OstlerError("unsupported_media_type", `send the body as application/json or application/yaml in UTF-8 (got ${given})`);
  }
  return format;
}

/** Reads on until the end, a bound in bytes, or one in time, and keeps nothing. */
export async function discard(reader: ReadableStreamDefaultReader<Uint8Array>): Promise<void> {
  let bytes = 0;
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<"late">((resolve) => {
    timer = setTimeout(resolve, discardMs, "late");
  });
  try {
    while (bytes < discardBytes) {
      const next = await Promise.race([reader.read(), late]);
      if (next === "late" || next.done) return;
      bytes += next.value.byteLength;
    }
  } finally {
    clearTimeout(timer);
  }
}

/** The whole body; throws `body_too_large` once it is too large and the rest is discarded. */
async function readBytes(stream: ReadableStream<Uint8Array>, maxBytes: number): Promise<Buffer> {
  const reader = stream.getReader();
  const chunks: Uint8Array[] = [];
  let size = 0;
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return Buffer.concat(chunks, size);
    size += value.byteLength;
    if (size > maxBytes) {
      chunks.length = 0;
      await discard(reader);
      throw tooLarge(maxBytes);
    }
    chunks.push(value);
  }
}

function decode(bytes: Uint8Array): string {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch (cause) {
    throw new OstlerError("bad_request", "the body is not UTF-8", { cause });
  }
}

/**
 * Reads JSON and YAML bodies: bounded, decoded, checked (depth, `__proto__`, duplicate keys, anchors), and handed on as JSON,
 * whatever they were sent as. No body is an empty object: which fields are missing is for the route's schema to say.
 */
export function documentBody(maxBytes: number): MiddlewareHandler<HttpEnv> {
  const readLongYaml = createYamlThread(maxBytes);
  const toJson = async (text: string, format: DocumentFormat, signal: AbortSignal) =>
    format === "yaml" && text.length > shortYamlChars ? readLongYaml(text, signal) : documentAsJson({ text, format, maxBytes });
  return async (c, next) => {
    const { body, method } = c.req.raw;
    if (!withDocument.has(method)) return next();
    const bytes = body ? await readBytes(body, maxBytes) : new Uint8Array();
    const { signal } = c.req.raw;
    const json = bytes.byteLength === 0 ? "{}" : await toJson(decode(bytes), formatOf(c.req.header("content-type")), signal);
    const headers = new Headers(c.req.raw.headers);
    headers.set("content-type", "application/json");
    headers.delete("content-length");
    c.req.raw = new Request(c.req.url, { method, headers, body: json, signal });
    return next();
  };
}
