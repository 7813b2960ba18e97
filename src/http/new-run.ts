import type { Logger } from "pino";
import type { RootGroupMessage } from "../actors/root-group/messages.ts";
import { OstlerError } from "../errors.ts";
import { createRunIds, rootOf, shardOfRoot } from "../ids.ts";
import type { RedisConnection } from "../redis/connection.ts";
import { encodeDefinition } from "../redis/definition-codec.ts";
import type { Confirm } from "../redis/durability.ts";
import type { Keys } from "../redis/keys.ts";
import { type CreateReply, createRun, type NewRun } from "../redis/scripts/create-run.ts";
import { checkDefinition, setupErrorsOf } from "../runs/check-definition.ts";
import type { Definition } from "../runs/definition.ts";
import { runQueueTimeoutMs } from "../runs/graph.ts";
import type { Fault } from "../runs/location.ts";
import { findClosedPools, type PoolAccess } from "../runs/pool-access.ts";
import { mapSecrets } from "../runs/secrets.ts";
import type { StoredDefinition } from "../runs/stored-definition.ts";
import type { IndexRow, RunEvent } from "../runs/view.ts";
import type { Sealer } from "../secrets.ts";
import type { KnownInstallation } from "./installation.ts";

export interface CreationRequest {
  /** Checked for its form, secrets in the clear; of a restart: as stored, secrets sealed. */
  readonly definition: Definition;
  readonly secrets: "clear" | "sealed";
  readonly restart?: NonNullable<StoredDefinition["restart"]>;
  readonly idempotency?: NonNullable<NewRun["idempotency"]>;
}

export interface Creation {
  readonly runId: string;
  /** False if the idempotency key had made the run before. */
  readonly created: boolean;
  /** Where the run's first event is, for `Ostler-Event`. */
  readonly event: string;
}

export type CreateNewRun = (request: CreationRequest) => Promise<Creation>;

export interface NewRunDeps {
  readonly redis: RedisConnection;
  readonly keys: Keys;
  readonly installation: KnownInstallation;
  readonly sealer: Sealer;
  readonly confirm: Confirm;
  /** Whether files were uploaded under this id (`POST /sources`). */
  readonly sourceExists: (id: string) => Promise<boolean>;
  readonly poolAccess: PoolAccess;
  /** Whether tasks may say where their pods go. */
  readonly allowPod: boolean;
  /** Notes, before the run exists, which archives of other runs it uses, so that deleting those spares them. */
  readonly markUses: (stored: StoredDefinition) => Promise<void>;
  /** Lists the run at once, before the streams bring its row. */
  readonly list: (row: IndexRow) => Promise<void>;
  readonly log: Logger;
}

/** How often a create is tried again with a fresh history id before it is refused. */
const maxTries = 3;

/** Why a definition cannot work, seen by itself, against what was uploaded, and by which pools its group may use. */
export async function findFaults(
  definition: Definition,
  { sourceExists, poolAccess, allowPod }: Pick<NewRunDeps, "sourceExists" | "poolAccess" | "allowPod">,
): Promise<readonly Fault[]> {
  const faults = [...checkDefinition(definition, { allowPod }), ...findClosedPools(definition, poolAccess)];
  const { source } = definition;
  if (source === undefined || (await sourceExists(source))) return faults;
  return [...faults, { path: "source", message: "no files were uploaded under this id" }];
}

async function redisTimeMs(redis: RedisConnection): Promise<number> {
  const [seconds, microseconds] = await redis.time();
  return Number(seconds) * 1000 + Math.floor(Number(microseconds) / 1000);
}

function enqueueMessage(runId: string, createdAt: number, definition: Definition): RootGroupMessage {
  const { priority = 0, concurrency } = definition;
  return {
    type: "enqueue",
    run: runId,
    priority,
    createdAt,
    queueTimeoutMs: runQueueTimeoutMs(definition),
    ...(concurrency && { concurrency: { key: concurrency.key, limit: concurrency.limit ?? 1, policy: concurrency.policy ?? "queue" } }),
  };
}

interface Draft {
  readonly runId: string;
  readonly createdAt: number;
  readonly definition: Definition;
  readonly setupErrors: readonly string[];
}

function firstEvent({ runId, createdAt, setupErrors }: Draft): RunEvent {
  const phase = setupErrors.length > 0 ? "setuperror" : "queued";
  return { id: `${runId}-1`, runId, seq: 1, at: new Date(createdAt).toISOString(), type: "run", phase, result: "unknown" };
}

function rowWithoutNumber({ runId, createdAt, definition, setupErrors }: Draft, restartOf: string | null): Omit<IndexRow, "number"> {
  return {
    runId,
    group: definition.group,
    name: definition.name,
    phase: setupErrors.length > 0 ? "setuperror" : "queued",
    result: "unknown",
    reason: null,
    createdAt: new Date(createdAt).toISOString(),
    startedAt: null,
    finishedAt: setupErrors.length > 0 ? new Date(createdAt).toISOString() : null,
    restartOf,
    annotations: definition.annotations ?? {},
  };
}

function storedDefinition({ runId, createdAt, definition }: Draft, request: CreationRequest, sealer: Sealer): StoredDefinition {
  const sealed = request.secrets === "clear" ? mapSecrets(definition, sealer.seal) : definition;
  return {
    version: 1,
    runId,
    group: definition.group,
    createdAt,
    definition: sealed,
    ...(request.restart && { restart: request.restart }),
  };
}

/** Everything that the create script writes for a draft, but for the history it is written into. */
function recordsOf(draft: Draft, request: CreationRequest, stored: StoredDefinition): Omit<NewRun, "history"> {
  const { runId, createdAt, definition, setupErrors } = draft;
  const failed = setupErrors.length > 0;
  return {
    runId,
    group: definition.group,
    ...(request.idempotency && { idempotency: request.idempotency }),
    definition: encodeDefinition(JSON.stringify(stored)),
    event: firstEvent(draft),
    row: rowWithoutNumber(draft, request.restart?.of ?? null),
    summary: {
      group: definition.group,
      name: definition.name,
      createdAt: String(createdAt),
      phase: failed ? "setuperror" : "queued",
      root: rootOf(definition.group),
      ...(failed && { setupErrors: JSON.stringify(setupErrors) }),
    },
    enqueue: failed ? undefined : enqueueMessage(runId, createdAt, definition),
  };
}

function refusal(type: Exclude<CreateReply["type"], "created" | "existing">): OstlerError {
  switch (type) {
    case "idempotency_conflict":
      return new OstlerError("idempotency_conflict", "this Idempotency-Key was used for another request; use a new one");
    case "maintenance":
      return new OstlerError("maintenance", "the installation is in maintenance: no new runs are accepted until it ends");
    case "history":
      return new OstlerError("redis_unavailable", "Redis has just restarted; try again");
    case "stale":
      return new OstlerError("redis_unavailable", "the request took too long to reach Redis; nothing was created, try again");
  }
}

/**
 * Creates runs with one script each; no scheduler needs to be there. A definition that cannot work becomes a run in `setuperror`.
 * Repeating the script is harmless: it knows the run's id.
 */
export function createNewRun(deps: NewRunDeps): CreateNewRun {
  const { redis, keys, installation, sealer, confirm, list, log } = deps;
  const nextId = createRunIds();

  const submit = async (records: Omit<NewRun, "history">): Promise<CreateReply> => {
    for (let tries = 1; ; tries++) {
      const { history } = installation.get();
      const reply = await createRun(redis, keys, { ...records, history, summary: { ...records.summary, history } });
      if (reply.type !== "history" || tries === maxTries) return reply;
      await installation.refresh();
    }
  };

  return async (request) => {
    const { definition } = request;
    const createdAt = await redisTimeMs(redis);
    const runId = nextId({ timeMs: createdAt, shard: shardOfRoot(rootOf(definition.group), installation.get().shards) });
    const setupErrors = setupErrorsOf(definition, await findFaults(definition, deps));
    const draft = { runId, createdAt, definition, setupErrors };
    const stored = storedDefinition(draft, request, sealer);
    await deps.markUses(stored);
    const records = recordsOf(draft, request, stored);
    const reply = await submit(records);
    switch (reply.type) {
      case "created": {
        await confirm();
        await list({
          ...rowWithoutNumber(draft, request.restart?.of ?? null),
          number: reply.number,
        });
        log.info({ runId, group: definition.group, number: reply.number, setupErrors: setupErrors.length }, "run created");
        return { runId, created: true, event: installation.position(reply.event ?? "0-0") };
      }
      case "existing":
        return { runId: reply.runId, created: false, event: installation.position("0-0") };
      default:
        throw refusal(reply.type);
    }
  };
}
