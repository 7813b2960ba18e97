import { readFileSync } from "node:fs";
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import type { Logger } from "pino";
import { z } from "zod";
import type { Config } from "../config.ts";
import { randomId } from "../ids.ts";
import { joinInstallation } from "../installation.ts";
import { measureStore } from "../measured-store.ts";
import { createMetrics } from "../metrics.ts";
import type { LogOutlets } from "../ost/finish-log.ts";
import { openStore } from "../ost/open.ts";
import { publishMetrics } from "../publish-metrics.ts";
import { createRedisClock } from "../redis/clock.ts";
import { createRedis, type RedisConnection } from "../redis/connection.ts";
import { createConfirm } from "../redis/durability.ts";
import { createKeys } from "../redis/keys.ts";
import type { Registration } from "../redis/scripts/register-executor.ts";
import { createSealer, loadSecretKey } from "../secrets.ts";
import type { AttemptJob, AttemptPorts } from "./attempt.ts";
import { createInputs } from "./attempt-inputs.ts";
import type { Driver } from "./driver.ts";
import { createDriver } from "./drivers.ts";
import { finishLeftoverLogs } from "./leftover-logs.ts";
import type { Masker } from "./masking.ts";
import { type OfferedArchs, offerArchs } from "./offered-archs.ts";
import { openReportSpool } from "./report-spool.ts";
import { createRunPlans } from "./run-plan.ts";
import { openStepLog, type StepLog } from "./step-log.ts";

const { version } = z
  .object({ version: z.string() })
  .parse(JSON.parse(readFileSync(new URL("../../package.json", import.meta.url), "utf8")));

export interface EquipmentOptions {
  readonly config: Config;
  readonly log: Logger;
  readonly driver: Driver | undefined;
  /** Called with what must be closed at the end, in the order of opening. */
  readonly onOpen: (close: () => Promise<void> | void) => void;
}

/** What an executor process has, whatever its incarnation. */
export type Equipment = Awaited<ReturnType<typeof openEquipment>>;

/** Opens connections, object storage, driver and spools; refuses where they belong to another installation. */
export async function openEquipment({ config, log, driver: given, onOpen }: EquipmentOptions) {
  const { redisUrl, dataDir, executor } = config;
  if (redisUrl === undefined) throw new Error("the executor role needs OSTLER_REDIS_URL");
  const keys = createKeys(config.redisPrefix);
  const connect = (role: Parameters<typeof createRedis>[1]): RedisConnection =>
    createRedis(redisUrl, role, (err) => log.warn({ err, connection: role }, "Redis connection error"));

  const driver = given ?? createDriver(config);
  onOpen(driver.close);
  if (driver.warning !== undefined) log.warn(driver.warning);
  const commands = connect("commands");
  onOpen(() => commands.disconnect());
  const metrics = createMetrics();
  const store = measureStore(await openStore(config.ostUrl), metrics);
  const installation = await joinInstallation({ redis: commands, keys, store, shards: config.shards, adopt: config.adopt, log });
  const sealer = createSealer(await loadSecretKey(config));
  const confirm = await createConfirm(commands, keys, config.durability);
  const clock = createRedisClock(Date.now(), () => performance.now());
  const folder = join(dataDir, "executors", executor.id);
  const logs = join(folder, "logs");
  await mkdir(logs, { recursive: true, mode: 0o700 });
  const spool = await openReportSpool(join(folder, "reports"), { now: () => Date.now(), log });
  onOpen(spool.close);

  const outlets: LogOutlets = { store, redis: commands, keys };
  const openLog = async ({ assignment, attempt, plan, node, origin }: AttemptJob, step: string, masker: Masker): Promise<StepLog> => {
    const stepLog = await openStepLog({
      outlets,
      place: { assignment, runId: plan.runId, task: node.name, attempt, step },
      spoolPath: join(logs, `${assignment}.${step}`),
      resumed: origin !== "accepted",
      masker,
      now: clock.now,
      log,
    });
    const finish = async () => {
      const end = await stepLog.finish();
      metrics.executor.logEnded(end);
      return end;
    };
    return { ...stepLog, finish };
  };
  const publishingEnds = new AbortController();
  const publishing = publishMetrics({ redis: commands, keys, processId: `executor-${randomId(12)}`, metrics, log }, publishingEnds.signal);
  onOpen(() => {
    publishingEnds.abort();
    return publishing;
  });
  const ports: Omit<AttemptPorts, "identity"> = {
    driver,
    store,
    open: sealer.open,
    now: clock.now,
    openLog,
    inputsOf: createInputs(commands, keys),
  };
  const archs = await offerArchs(driver, executor.archs);
  return {
    keys,
    connect,
    commands,
    metrics: metrics.executor,
    installation,
    confirm,
    clock,
    spool,
    ports,
    archs,
    describe: await describe(config, driver, archs),
    planOf: createRunPlans(commands, keys),
    finishLeftoverLogs: (isBusy: (assignment: string) => boolean) => finishLeftoverLogs({ folder: logs, outlets, isBusy, log }),
  };
}

/** What this executor says of itself, with the architectures of the moment. */
async function describe({ executor }: Config, driver: Driver, archs: OfferedArchs): Promise<() => Registration["description"]> {
  const { id, pool, labels, taskLimit, dynamic, allowPrivileged } = executor;
  const group = executor.group ?? (await driver.groupId());
  return () => ({
    id,
    pool,
    group,
    driver: driver.name,
    archs: [...archs.current()],
    labels,
    taskLimit,
    allowPrivileged: allowPrivileged && driver.allowsPrivileged,
    dynamic,
    version,
  });
}
