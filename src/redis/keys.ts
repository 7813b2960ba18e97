/** Spells every Redis key of an installation. All share the hash tag in `prefix`, hence one slot: that makes a commit atomic. */
export type Keys = ReturnType<typeof createKeys>;

/** `prefix` holds exactly one hash tag, such as `{ostler}`; BullMQ is given the same one. */
export function createKeys(prefix: string) {
  const key = (...parts: readonly (string | number)[]) => [prefix, ...parts].join(":");
  return {
    prefix,
    meta: key("meta"),
    founding: key("founding"),
    schedulers: key("schedulers"),
    executors: key("executors"),
    events: key("events"),
    indexRows: key("index", "rows"),
    own: (shard: number) => key("own", shard),
    sequence: (shard: number) => key("seq", shard),
    inbox: (shard: number) => key("in", shard),
    dead: (shard: number) => key("dead", shard),
    due: (shard: number) => key("due", shard),
    state: (shard: number) => key("state", shard),
    effects: (shard: number) => key("effects", shard),
    strikes: (shard: number) => key("strikes", shard),
    run: (id: string) => key("run", id),
    runDefinition: (id: string) => key("run", id, "def"),
    runTasks: (id: string) => key("run", id, "tasks"),
    runEvents: (id: string) => key("run", id, "events"),
    runNumber: (root: string) => key("number", root),
    idempotency: (principal: string, requestKey: string) => key("idem", principal, requestKey),
    poolReady: (pool: string) => key("pool", pool, "ready"),
    poolLive: (pool: string) => key("pool", pool, "live"),
    poolExecutors: (pool: string) => key("pool", pool, "executors"),
    rootGroupRuns: (root: string) => key("root-group", root, "runs"),
    executor: (id: string) => key("executor", id),
    executorAlive: (id: string) => key("executor", id, "alive"),
    executorTodo: (id: string) => key("executor", id, "todo"),
    executorHeld: (id: string) => key("executor", id, "held"),
    executorWake: (id: string) => key("executor", id, "wake"),
    reply: (processId: string) => key("reply", processId),
    /** Processes that publish metrics, by when (ms) they last did. */
    metricsPublishers: key("metrics"),
    metrics: (processId: string) => key("metrics", processId),
    log: (assignment: string, step: string) => key("log", assignment, step),
    logTails: key("log-tails"),
  } as const;
}
