/** Spells every Redis key of an installation. All share the hash tag in `prefix`, hence one slot: that makes a commit atomic. */
export type Keys = ReturnType<typeof createKeys>;

/** `prefix` holds exactly one hash tag, such as `{ostler}`; BullMQ is given the same one. */
export function createKeys(prefix: string) {
  return {
    prefix,
    meta: `${prefix}:meta`,
    founding: `${prefix}:founding`,
    schedulers: `${prefix}:schedulers`,
    executors: `${prefix}:executors`,
    events: `${prefix}:events`,
    indexRows: `${prefix}:index:rows`,
    own: (shard: number) => `${prefix}:own:${shard}`,
    sequence: (shard: number) => `${prefix}:seq:${shard}`,
    inbox: (shard: number) => `${prefix}:in:${shard}`,
    dead: (shard: number) => `${prefix}:dead:${shard}`,
    due: (shard: number) => `${prefix}:due:${shard}`,
    state: (shard: number) => `${prefix}:state:${shard}`,
    effects: (shard: number) => `${prefix}:effects:${shard}`,
    strikes: (shard: number) => `${prefix}:strikes:${shard}`,
    run: (id: string) => `${prefix}:run:${id}`,
    runDefinition: (id: string) => `${prefix}:run:${id}:def`,
    runTasks: (id: string) => `${prefix}:run:${id}:tasks`,
    runEvents: (id: string) => `${prefix}:run:${id}:events`,
    runNumber: (root: string) => `${prefix}:number:${root}`,
    idempotency: (principal: string, requestKey: string) => `${prefix}:idem:${principal}:${requestKey}`,
    poolReady: (pool: string) => `${prefix}:pool:${pool}:ready`,
    poolLive: (pool: string) => `${prefix}:pool:${pool}:live`,
    poolExecutors: (pool: string) => `${prefix}:pool:${pool}:executors`,
    rootGroupRuns: (root: string) => `${prefix}:root-group:${root}:runs`,
    executor: (id: string) => `${prefix}:executor:${id}`,
    executorAlive: (id: string) => `${prefix}:executor:${id}:alive`,
    executorTodo: (id: string) => `${prefix}:executor:${id}:todo`,
    executorHeld: (id: string) => `${prefix}:executor:${id}:held`,
    executorWake: (id: string) => `${prefix}:executor:${id}:wake`,
    reply: (processId: string) => `${prefix}:reply:${processId}`,
    /** Processes that publish metrics, by when (ms) they last did. */
    metricsPublishers: `${prefix}:metrics`,
    metrics: (processId: string) => `${prefix}:metrics:${processId}`,
    log: (assignment: string, step: string) => `${prefix}:log:${assignment}:${step}`,
    logTails: `${prefix}:log-tails`,
  } as const;
}
