import { OpenAPIHono } from "@hono/zod-openapi";
import type { Hono } from "hono";
import { except } from "hono/combine";
import { secureHeaders } from "hono/secure-headers";
import type { Logger } from "pino";
import type { Metrics } from "../metrics.ts";
import { authentication } from "./authentication.ts";
import { documentBody } from "./body.ts";
import type { HttpEnv } from "./env.ts";
import { onError, refuseInvalid } from "./errors.ts";
import { unknownRoute } from "./methods.ts";
import { observe } from "./observe.ts";
import { requestId } from "./request-id.ts";
import { requestLimit } from "./request-limit.ts";
import { type ArtifactRoutesDeps, artifactRoutes } from "./routes/artifacts.ts";
import { type DeadLetterRoutesDeps, deadLetterRoutes } from "./routes/dead-letters.ts";
import { type DoctorRoutesDeps, doctorRoutes } from "./routes/doctor.ts";
import { type EventRoutesDeps, eventRoutes } from "./routes/events.ts";
import { executorGroupRoutes } from "./routes/executor-groups.ts";
import { type ExecutorRoutesDeps, executorRoutes } from "./routes/executors.ts";
import { type GroupRoutesDeps, groupRoutes } from "./routes/groups.ts";
import { type HealthRoutesDeps, healthRoutes } from "./routes/health.ts";
import { type LogRoutesDeps, logRoutes } from "./routes/logs.ts";
import { type MaintenanceRoutesDeps, maintenanceRoutes } from "./routes/maintenance.ts";
import { type MetricsRoutesDeps, metricsRoutes } from "./routes/metrics.ts";
import { poolRoutes } from "./routes/pools.ts";
import { referenceRoutes } from "./routes/reference.ts";
import { type RestartRoutesDeps, restartRoutes } from "./routes/restart.ts";
import { type RunCommandsDeps, runCommandRoutes } from "./routes/run-commands.ts";
import { type RunDeletionDeps, runDeletionRoutes } from "./routes/run-deletion.ts";
import { type RunRoutesDeps, runRoutes } from "./routes/runs.ts";
import { type SourceRoutesDeps, sourceRoutes } from "./routes/sources.ts";
import { seenEvent } from "./seen-event.ts";

/** What the routes need, each its own part. */
export type AppDeps = RunRoutesDeps &
  RunCommandsDeps &
  RunDeletionDeps &
  RestartRoutesDeps &
  GroupRoutesDeps &
  Omit<EventRoutesDeps, "reader"> &
  Omit<LogRoutesDeps, "reader"> &
  ArtifactRoutesDeps &
  SourceRoutesDeps &
  ExecutorRoutesDeps &
  HealthRoutesDeps &
  DoctorRoutesDeps &
  MaintenanceRoutesDeps &
  DeadLetterRoutesDeps &
  MetricsRoutesDeps & {
    readonly runEvents: EventRoutesDeps["reader"];
    readonly logs: LogRoutesDeps["reader"];
    readonly log: Logger;
    readonly metrics: Pick<Metrics, "http">;
    readonly version: string;
    readonly adminToken: string | undefined;
    readonly maxBodyBytes: number;
    readonly maxRequestsPerSecond: number | undefined;
    /** Mounted at `/queues`. */
    readonly dashboard: Hono<HttpEnv>;
  };

/** Uploads are no documents: they go to object storage as they come. */
const uploads = "/api/v1/sources";

/** Everything that the api role answers, without a socket. The type of what it returns is the typed client's source. */
export function createApp(deps: AppDeps) {
  const app = new OpenAPIHono<HttpEnv>({ defaultHook: refuseInvalid });
  app.onError(onError);
  app.notFound(unknownRoute(app));
  app.use(requestId(deps.log));
  app.use(observe(deps.metrics));
  app.use(secureHeaders({ xFrameOptions: "SAMEORIGIN", crossOriginOpenerPolicy: false, strictTransportSecurity: false }));
  app.use(authentication(deps.adminToken));
  app.use(
    "/api/*",
    requestLimit(deps.maxRequestsPerSecond, () => performance.now()),
  );
  app.use("/api/*", except(uploads, documentBody(deps.maxBodyBytes)));
  app.use("/api/*", seenEvent(deps.window));
  app.route("/queues", deps.dashboard);
  app.get("/queues/", (c) => c.redirect("/queues", 308));
  return app
    .route("/", healthRoutes(deps))
    .route("/", metricsRoutes(deps))
    .route("/api/v1", runRoutes(deps))
    .route("/api/v1", runCommandRoutes(deps))
    .route("/api/v1", runDeletionRoutes(deps))
    .route("/api/v1", restartRoutes(deps))
    .route("/api/v1", eventRoutes({ ...deps, reader: deps.runEvents }))
    .route("/api/v1", logRoutes({ ...deps, reader: deps.logs }))
    .route("/api/v1", artifactRoutes(deps))
    .route("/api/v1", groupRoutes(deps))
    .route("/api/v1", executorRoutes(deps))
    .route("/api/v1", executorGroupRoutes(deps))
    .route("/api/v1", poolRoutes(deps))
    .route("/api/v1", sourceRoutes(deps))
    .route("/api/v1", maintenanceRoutes(deps))
    .route("/api/v1", doctorRoutes(deps))
    .route("/api/v1", deadLetterRoutes(deps))
    .route("/api/v1", referenceRoutes(app, deps.version));
}

/** For `hono/client`: `hc<Api>(url)`. */
export type Api = ReturnType<typeof createApp>;
