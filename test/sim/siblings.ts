import { judge, type MemberRecord, type Memory, noMemory } from "../../src/executors/leftovers.ts";
import { shardOfExecutorGroup } from "../../src/ids.ts";
import type { Platform } from "./platform.ts";
import type { Process } from "./process.ts";
import { fenceMs, type Surroundings } from "./surroundings.ts";

const lookMs = 5_000;
const repeatMs = 30_000;

export interface SiblingsOptions {
  readonly world: Surroundings;
  readonly platform: Platform;
  readonly process: Process;
  readonly executor: string;
  readonly incarnation: string;
  readonly group: string;
  readonly returned: boolean;
  readonly isOver: () => boolean;
  readonly ownAssignments: () => ReadonlySet<string>;
}

/** Looks at the group's pods every few seconds: the real judgement, on simulated pods and records. */
export function startSiblings(options: SiblingsOptions): void {
  const { world, platform, process, executor, incarnation, group } = options;
  const { redis, keys } = world;
  const toldAt = new Map<string, number>();
  let memory: Memory = noMemory;
  let ownCleanLists = 0;

  const read = () => {
    const records = new Map<string, MemberRecord>();
    for (const id of redis.commands.members(keys.executors)) {
      const record = redis.commands.hash(keys.executor(id));
      const life = lifeOf(record.get("life"));
      const [current, of] = [record.get("incarnation"), record.get("group")];
      if (life && current !== undefined && of !== undefined) records.set(id, { incarnation: current, life, group: of });
    }
    return { records, history: redis.commands.hash(keys.meta).get("history") ?? "" };
  };

  const tell = async (gone: { readonly executor: string; readonly incarnation: string }) => {
    const key = `${gone.executor} ${gone.incarnation}`;
    if (world.timeline.now() - (toldAt.get(key) ?? -repeatMs) < repeatMs) return;
    const letter = [`executor-group/${group}`, { type: "pods-gone", ...gone, by: executor }];
    const inbox = keys.inbox(shardOfExecutorGroup(group, world.shards));
    await process.ask(() => redis.commands.xadd(inbox, "m", JSON.stringify([letter])));
    world.trace(`${executor} tells that no pod of ${key} is left`);
    toldAt.set(key, world.timeline.now());
  };

  const look = async () => {
    const { records, history } = await process.ask(read);
    const pods = platform.list();
    const ownAssignments = await process.ask(options.ownAssignments);
    const findings = judge(memory, { executor, group, records, pods, ownAssignments, history, at: world.timeline.now(), fenceMs });
    memory = findings.memory;
    for (const pod of findings.remove) {
      if (pod.owner.executor !== executor) world.onSiblingRemoval(pod);
      platform.remove(pod.id);
    }
    for (const gone of findings.gone) await tell(gone);
    const foreign = pods.some((pod) => pod.owner.executor === executor && pod.owner.incarnation !== incarnation);
    ownCleanLists = foreign ? 0 : ownCleanLists + 1;
    if (options.returned && ownCleanLists >= 2) await tell({ executor, incarnation });
  };

  const loop = async () => {
    while (!options.isOver()) {
      await look().catch(() => {});
      await process.sleep(lookMs);
    }
  };
  void loop();
}

function lifeOf(text: string | undefined): MemberRecord["life"] | undefined {
  return text === "active" || text === "cordoned" || text === "suspect" || text === "lost" ? text : undefined;
}
