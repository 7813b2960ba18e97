import { OpenAPIHono } from "@hono/zod-openapi";
import type { Logger } from "pino";
import { authentication } from "./authentication.ts";
import { documentBody } from "./body.ts";
import type { HttpEnv } from "./env.ts";
import { onError, refuseInvalid } from "./errors.ts";
import { unknownRoute } from "./methods.ts";
import { requestId } from "./request-id.ts";
import { type GroupRoutesDeps, groupRoutes } from "./routes/groups.ts";
import { type RunCommandsDeps, runCommandRoutes } from "./routes/run-commands.ts";
import { type RunRoutesDeps, runRoutes } from "./routes/runs.ts";

export interface AppDeps extends RunRoutesDeps, RunCommandsDeps, GroupRoutesDeps {
  readonly log: Logger;
  readonly adminToken: string | undefined;
  readonly maxBodyBytes: number;
}

/** Everything that the api role answers, without a socket. The type of what it returns is the typed client's source. */
export function createApp(deps: AppDeps) {
  const app = new OpenAPIHono<HttpEnv>({ defaultHook: refuseInvalid });
  app.onError(onError);
  app.notFound(unknownRoute(app));
  app.use(requestId(deps.log));
  app.use(authentication(deps.adminToken));
  app.use("/api/*", documentBody(deps.maxBodyBytes));
  return app.route("/api/v1", runRoutes(deps)).route("/api/v1", runCommandRoutes(deps)).route("/api/v1", groupRoutes(deps));
}

/** For `hono/client`: `hc<Api>(url)`. */
export type Api = ReturnType<typeof createApp>;
