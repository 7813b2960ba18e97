import { createRoute, z } from "@hono/zod-openapi";
import { body, empty, json } from "../answers.ts";
import type { DeadLetter, DeadLetters } from "../dead-letters.ts";
import { decodeCursor, encodeCursor, Limit, noQuery } from "../parameters.ts";
import { createRouter } from "../router.ts";
import { NextCursor } from "../shapes.ts";

export interface DeadLetterRoutesDeps {
  readonly deadLetters: DeadLetters;
}

/** More of a message than anybody reads in a list. */
const shownChars = 2_000;

const View = z
  .object({
    id: z.string(),
    at: z.string().openapi({ description: "When it was put aside." }),
    reason: z.string().openapi({ description: "What went wrong with it." }),
    actors: z.array(z.string()).openapi({ description: "For whom it was, as `kind/id`; empty if it does not parse." }),
    message: z.string().openapi({ description: `As it was sent; in lists its first ${shownChars} characters.` }),
    sizeBytes: z.number().int(),
  })
  .openapi("DeadLetter");

function view({ id, at, reason, actors, text }: DeadLetter, chars: number): z.infer<typeof View> {
  return {
    ...{ id, reason, actors: [...actors] },
    at: new Date(at).toISOString(),
    message: text.slice(0, chars),
    sizeBytes: Buffer.byteLength(text),
  };
}

const Path = z.object({ id: z.string().openapi({ param: { name: "id", in: "path" } }) });

const list = createRoute({
  method: "get",
  path: "/dead-letters",
  summary: "List messages that were put aside: nobody could decide on them",
  request: { query: z.strictObject({ limit: Limit, cursor: z.string().optional() }) },
  responses: { 200: json(z.object({ deadLetters: z.array(View), nextCursor: NextCursor }), "The oldest of each shard first") },
});

const get = createRoute({
  method: "get",
  path: "/dead-letters/{id}",
  summary: "Show a message that was put aside",
  request: { params: Path, query: noQuery },
  responses: { 200: json(View, "The whole message") },
});

const replay = createRoute({
  method: "post",
  path: "/dead-letters/{id}/replay",
  summary: "Send a message again that was put aside; if it fails again, it comes back as another one",
  request: { params: Path, query: noQuery, ...body(z.strictObject({})) },
  responses: { 204: empty("It is in its shard's inbox, and no dead letter any more") },
});

const drop = createRoute({
  method: "delete",
  path: "/dead-letters/{id}",
  summary: "Forget a message that was put aside",
  request: { params: Path, query: noQuery },
  responses: { 204: empty("It is gone") },
});

export function deadLetterRoutes({ deadLetters }: DeadLetterRoutesDeps) {
  return createRouter()
    .openapi(list, async (c) => {
      const { limit, cursor } = c.req.valid("query");
      const found = await deadLetters.list(cursor === undefined ? undefined : decodeCursor(cursor), limit);
      const next = found.length === limit ? found.at(-1)?.id : undefined;
      return c.json({ deadLetters: found.map((letter) => view(letter, shownChars)), nextCursor: encodeCursor(next) }, 200);
    })
    .openapi(get, async (c) => c.json(view(await deadLetters.get(c.req.valid("param").id), Number.POSITIVE_INFINITY), 200))
    .openapi(replay, async (c) => {
      await deadLetters.replay(c.req.valid("param").id);
      return c.body(null, 204);
    })
    .openapi(drop, async (c) => {
      await deadLetters.drop(c.req.valid("param").id);
      return c.body(null, 204);
    });
}
