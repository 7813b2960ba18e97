import { createRoute, z } from "@hono/zod-openapi";
import { type Check, examine } from "../../doctor/examine.ts";
import { type Finding, failed, ok, warning, worstState } from "../../doctor/finding.ts";
import { json } from "../answers.ts";
import type { Fleet } from "../fleet.ts";
import { noQuery } from "../parameters.ts";
import { createRouter } from "../router.ts";
import type { ReadinessCheck } from "./health.ts";

export interface DoctorRoutesDeps {
  /** Of what every process needs: Redis, object storage. */
  readonly serverChecks: readonly Check[];
  readonly checks: Readonly<Record<string, ReadinessCheck>>;
  readonly fleet: Pick<Fleet, "executors">;
}

/** Shorter than what clients wait for an answer. */
const limitMs = 8_000;

const State = z.enum(["ok", "warning", "failed"]);
const Report = z
  .object({
    state: State.openapi({ description: "The worst of all." }),
    checks: z.array(
      z.object({
        check: z.string(),
        state: State,
        message: z.string(),
        advice: z.string().nullable().openapi({ description: "What to do; null where all is well." }),
      }),
    ),
  })
  .openapi("DoctorReport");

const get = createRoute({
  method: "get",
  path: "/doctor",
  summary: "Check what this server depends on: Redis, object storage, schedulers, executors, clocks",
  request: { query: noQuery },
  responses: { 200: json(Report, "What was found, whether good or bad") },
});

/** A readiness check as the doctor sees it. */
function readiness(name: string, check: ReadinessCheck | undefined, words: { readonly fine: string; readonly advice: string }): Check {
  const { fine, advice } = words;
  return {
    name,
    advice,
    perform: async () => {
      const problem = await check?.();
      return [problem === undefined ? ok(name, fine) : failed(name, problem, advice)];
    },
  };
}

async function checkExecutors(fleet: DoctorRoutesDeps["fleet"]): Promise<readonly Finding[]> {
  const executors = await fleet.executors();
  const silent = executors.filter(({ lastHeartbeatAt, life }) => lastHeartbeatAt === undefined || life === "lost");
  const check = "executors";
  if (executors.length === silent.length) {
    return [warning(check, "no executor is alive: tasks wait", "start one; run `ostler doctor` where it runs")];
  }
  const message = `${executors.length - silent.length} of ${executors.length} are alive`;
  if (silent.length === 0) return [ok(check, message)];
  const names = silent.map(({ description }) => description.id).slice(0, 10);
  return [warning(check, `${message}; not heard of: ${names.join(", ")}`, "start them again, or delete those that do not come back")];
}

export function doctorRoutes({ serverChecks, checks, fleet }: DoctorRoutesDeps) {
  const all: readonly Check[] = [
    ...serverChecks,
    readiness("shards", checks["shards"], {
      fine: "every shard has a scheduler",
      advice: "start a scheduler, or see the logs of those that run",
    }),
    readiness("index", checks["index"], { fine: "lists of runs are complete", advice: "wait: it is built from object storage" }),
    { name: "executors", advice: "see the log of this process", perform: () => checkExecutors(fleet) },
  ];
  return createRouter().openapi(get, async (c) => {
    const findings = await examine(all, limitMs, c.req.raw.signal);
    const report = findings.map((finding) => ({ ...finding, advice: "advice" in finding ? finding.advice : null }));
    return c.json({ state: worstState(findings), checks: report }, 200);
  });
}
