import { createRoute, z } from "@hono/zod-openapi";
import type { ReadModel } from "../../read-model/read-model.ts";
import { json } from "../answers.ts";
import { decodeCursor, encodeCursor, Limit } from "../parameters.ts";
import { createRouter } from "../router.ts";
import { summaryOf } from "../run-list.ts";
import { GroupList } from "../shapes.ts";

export interface GroupRoutesDeps {
  readonly model: Pick<ReadModel, "call">;
  readonly indexComplete: () => boolean;
}

const GroupListQuery = z.strictObject({
  parent: z.string().startsWith("/", { error: "expected a path that begins with /" }).default("/"),
  limit: Limit,
  cursor: z.string().optional(),
});

const list = createRoute({
  method: "get",
  path: "/groups",
  summary: "List the groups right below one",
  request: { query: GroupListQuery },
  responses: { 200: json(GroupList, "Groups that have runs at or below them, with the newest of those") },
});

export function groupRoutes({ model, indexComplete }: GroupRoutesDeps) {
  return createRouter().openapi(list, async (c) => {
    const { parent, limit, cursor } = c.req.valid("query");
    const after = cursor === undefined ? {} : { after: decodeCursor(cursor) };
    const page = await model.call("listGroups", { parent: parent.replace(/(?<=.)\/+$/, ""), limit, ...after });
    const groups = page.items.map(({ path, lastRun }) => ({ path, lastRun: summaryOf(lastRun) }));
    return c.json({ groups, nextCursor: encodeCursor(page.next), ...(indexComplete() ? {} : { partial: true }) }, 200);
  });
}
