import { z } from "@hono/zod-openapi";

/** A JSON answer in a route's description. */
export function json<Schema extends z.ZodType>(schema: Schema, description: string) {
  return { content: { "application/json": { schema } }, description } as const;
}

/** JSON for those who ask for it, else an event stream, which has no type of its own. */
export function jsonOrStream<Schema extends z.ZodType>(schema: Schema, description: string) {
  const stream = { schema: z.never().openapi({ type: "string", description: "Server-sent events" }) };
  return { content: { "application/json": { schema }, "text/event-stream": stream }, description } as const;
}

/** An answer without a body. */
export function empty(description: string) {
  return { description } as const;
}

/** A JSON body in a route's description; YAML is taken too, and arrives as JSON (see `documentBody`). */
export function body<Schema extends z.ZodType>(schema: Schema, required = false) {
  return { body: { content: { "application/json": { schema } }, required } } as const;
}
