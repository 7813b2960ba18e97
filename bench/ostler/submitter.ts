import { pino } from "pino";
import { z } from "zod";
import { createKnownInstallation } from "../../src/http/installation.ts";
import { createNewRun } from "../../src/http/new-run.ts";
import { createRedis } from "../../src/redis/connection.ts";
import { createKeys } from "../../src/redis/keys.ts";
import { parseDefinition } from "../../src/runs/parse-definition.ts";
import { childArgument, serveParent } from "../child.ts";
import { tasksOf } from "../shapes.ts";
import { rootGroups, settings } from "./settings.ts";

/** Creates runs exactly as the API does: parses, checks, seals and stores each definition. Only HTTP is left out. */
const place = z.object({ url: z.string(), folder: z.string() }).parse(childArgument());
const config = settings(place);
const redis = createRedis(place.url, "commands");
const keys = createKeys(config.redisPrefix);
const installation = createKnownInstallation(redis, keys);
await installation.refresh();

const create = createNewRun({
  redis,
  keys,
  installation,
  sealer: { seal: (text) => text, open: (text) => text },
  confirm: async () => {},
  sourceExists: async () => true,
  poolAccess: {},
  allowPod: false,
  markUses: async () => {},
  list: async () => {},
  log: pino({ level: "silent" }),
});

const Request = z.object({
  shape: z.enum(["chain-10", "fan-20", "diamond", "chain-1000", "fan-1000", "fan-100000"]),
  runs: z.number(),
  concurrency: z.number(),
});

serveParent(async (message) => {
  const { shape, runs, concurrency } = Request.parse(message);
  const tasks = tasksOf(shape);
  let next = 0;
  const submit = async () => {
    for (let i = next++; i < runs; i = next++) {
      const definition = parseDefinition({ name: "bench", group: `/bench/g${i % rootGroups}/main`, tasks });
      await create({ definition, secrets: "clear" });
    }
  };
  await Promise.all(Array.from({ length: Math.min(concurrency, runs) }, submit));
});
