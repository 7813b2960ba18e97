import { createHash } from "node:crypto";
import { createRoute, z } from "@hono/zod-openapi";
import { OstlerError } from "../../errors.ts";
import { randomId } from "../../ids.ts";
import { layout } from "../../ost/layout.ts";
import type { Store } from "../../ost/store.ts";
import { json } from "../answers.ts";
import { discard } from "../body.ts";
import { idempotencyKey } from "../idempotency.ts";
import type { KnownInstallation } from "../installation.ts";
import { noQuery } from "../parameters.ts";
import { createRouter } from "../router.ts";

export interface SourceRoutesDeps {
  readonly store: Pick<Store, "put" | "stat" | "stream">;
  readonly installation: Pick<KnownInstallation, "position">;
  readonly maxSourceBytes: number;
}

const idLength = 26;
const types = new Set(["application/zstd", "application/octet-stream"]);
/** How every zstd frame begins; what does not could only fail much later, in a task. */
const zstdMagic = Buffer.from([0x28, 0xb5, 0x2f, 0xfd]);

const upload = createRoute({
  method: "post",
  path: "/sources",
  summary: "Upload files for runs: a tar archive compressed with zstd",
  request: {
    query: noQuery,
    body: { content: { "application/zstd": { schema: z.string().openapi({ format: "binary" }) } }, required: true },
  },
  responses: { 201: json(z.object({ id: z.string() }), "Stored; name the id as `source` of a run") },
});

const show = createRoute({
  method: "get",
  path: "/sources/{id}",
  summary: "Show uploaded files",
  request: { params: z.object({ id: z.string().openapi({ param: { name: "id", in: "path" } }) }), query: noQuery },
  responses: { 200: json(z.object({ id: z.string(), sizeBytes: z.number() }), "They are stored") },
});

/** The body's bytes, bounded, if they begin as zstd. What is too much is read on, so that the refusal arrives. */
async function* bounded(stream: ReadableStream<Uint8Array>, maxBytes: number): AsyncGenerator<Uint8Array> {
  const reader = stream.getReader();
  let size = 0;
  let head: Buffer = Buffer.alloc(0);
  for (;;) {
    const { done, value } = await reader.read();
    if (done) break;
    size += value.byteLength;
    if (head.length < zstdMagic.length) head = Buffer.concat([head, value.subarray(0, zstdMagic.length)]).subarray(0, zstdMagic.length);
    const looksWrong = !zstdMagic.subarray(0, head.length).equals(head);
    if (looksWrong || size > maxBytes) {
      await discard(reader);
      if (looksWrong) throw new OstlerError("bad_request", "the body is not compressed with zstd");
      throw new OstlerError("body_too_large", `the source is larger than ${maxBytes} bytes (setting OSTLER_MAX_SOURCE)`, {
        details: { maxBytes },
      });
    }
    yield value;
  }
  if (head.length < zstdMagic.length) throw new OstlerError("bad_request", "the body is not compressed with zstd");
}

async function hashOf(stream: AsyncIterable<Uint8Array>): Promise<string> {
  const hash = createHash("sha256");
  for await (const bytes of stream) hash.update(bytes);
  return hash.digest("hex");
}

export function sourceRoutes({ store, installation, maxSourceBytes }: SourceRoutesDeps) {
  const routes = createRouter().openapi(show, async (c) => {
    const { id } = c.req.valid("param");
    const found = /^[0-9a-z]{1,64}$/.test(id) ? await store.stat(layout.source(id)) : undefined;
    if (!found) throw new OstlerError("source_not_found", `there are no uploaded files ${id.slice(0, 100)}`);
    return c.json({ id, sizeBytes: found.sizeBytes }, 200);
  });
  return routes.openapi(upload, async (c) => {
    const type = c.req.header("content-type")?.split(";")[0]?.trim().toLowerCase() ?? "";
    if (!types.has(type)) throw new OstlerError("unsupported_media_type", "send the archive as application/zstd");
    const key = idempotencyKey(c);
    // The same key is the same source: repeating an upload whose answer was lost stores nothing twice.
    const id =
      key === undefined
        ? randomId(idLength)
        : createHash("sha256").update(`${c.var.principal.name}\n${key}`).digest("hex").slice(0, idLength);
    const { body } = c.req.raw;
    if (!body) throw new OstlerError("bad_request", "a body is required");
    const sent = bounded(body, maxSourceBytes);
    const there = key === undefined ? undefined : await store.stream(layout.source(id));
    if (!there) await store.put(layout.source(id), sent, { onlyIfAbsent: true });
    else if ((await hashOf(there)) !== (await hashOf(sent))) {
      throw new OstlerError("idempotency_conflict", "this Idempotency-Key was used for other files; use a new one");
    }
    c.header("location", `/api/v1/sources/${id}`);
    c.header("ostler-event", installation.position("0-0"));
    return c.json({ id }, 201);
  });
}
