import type { ActorKind, Stored } from "./actor.ts";
import type { Host, Instance } from "./host.ts";
import type { ActorLocation, OwnerStore } from "./owner-store.ts";

/** The actors that an owner has in memory. Whatever is here was loaded, or committed, under the owner's present tokens. */
export interface ActorCache {
  readonly get: (actor: string) => CachedActor | undefined;
  /** Fetches those of `actors` that are not there yet, in one round trip. Each is opened when it is first used. */
  readonly load: (actors: ReadonlyMap<string, number>) => Promise<void>;
  readonly drop: (actor: string) => void;
  readonly clear: () => void;
  /** Forgets the least recently loaded runs beyond the budget; nothing may be uncommitted. */
  readonly trim: () => void;
}

export interface CachedActor {
  readonly id: string;
  readonly kind: ActorKind;
  readonly shard: number;
  /** Opened by the first look, which takes a second for a run of 100,000 tasks: whoever looks at many minds the lease. */
  readonly instance: Instance;
  /** Roughly how many bytes of memory it takes; more once it is opened. */
  readonly weight: number;
}

/** `kind/id` cut at the first slash; undefined if no actor is of that kind. */
export function parseActorId(actor: string, hosts: ReadonlyMap<string, Host>): { readonly host: Host; readonly id: string } | undefined {
  const slash = actor.indexOf("/");
  const host = hosts.get(actor.slice(0, slash));
  return host && slash > 0 ? { host, id: actor.slice(slash + 1) } : undefined;
}

/** An actor whose stored state cannot be read: every message to it is put aside, and the others go on. */
function unreadable(error: unknown): Instance {
  return {
    receive: () => {
      throw error;
    },
    dirty: () => false,
    write: () => {
      throw error;
    },
    deadline: () => undefined,
    weight: () => 0,
  };
}

/** Opens the actor when its instance is first asked for, and lets go of what it was opened from. */
function openedByFirstLook(
  actor: Pick<CachedActor, "id" | "kind" | "shard">,
  stored: Stored,
  open: (stored: Stored) => Instance,
): CachedActor {
  let held: { readonly stored: Stored } | { readonly instance: Instance } = { stored };
  let weight = weigh(stored);
  return {
    ...actor,
    get weight() {
      return weight;
    },
    get instance() {
      if ("stored" in held) {
        held = { instance: open(held.stored) };
        weight += held.instance.weight();
      }
      return held.instance;
    },
  };
}

/** Rough size of what is stored. */
function weigh({ state, parts }: Stored): number {
  let sum = 200 + (state?.length ?? 0);
  for (const part of parts) {
    if (typeof part === "string") sum += part.length;
    else if (part) for (const value of Object.values(part)) sum += value.length + 50;
  }
  return sum;
}

export function createActorCache(options: {
  readonly hosts: ReadonlyMap<string, Host>;
  readonly load: OwnerStore["load"];
  /** Bytes of memory to take at most, roughly. */
  readonly budget: number;
  readonly onUnreadable: (actor: string, error: unknown) => void;
}): ActorCache {
  const { hosts, onUnreadable } = options;
  const actors = new Map<string, CachedActor>();
  let weight = 0;

  const drop = (actor: string) => {
    weight -= actors.get(actor)?.weight ?? 0;
    actors.delete(actor);
  };

  return {
    get: (actor) => actors.get(actor),
    drop,
    clear: () => {
      actors.clear();
      weight = 0;
    },
    load: async (wanted) => {
      const missing: (ActorLocation & { readonly host: Host; readonly id: string })[] = [];
      for (const [actor, shard] of wanted) {
        if (actors.has(actor)) continue;
        const parsed = parseActorId(actor, hosts);
        if (parsed) missing.push({ ...parsed, actor, shard, parts: parsed.host.parts(parsed.id) });
      }
      if (missing.length === 0) return;
      const stored = await options.load(missing);
      missing.forEach(({ actor, shard, host, id }, index) => {
        const found = stored[index] ?? { state: null, parts: [] };
        const open = (from: Stored) => {
          try {
            const instance = host.open(id, from);
            weight += instance.weight();
            return instance;
          } catch (error) {
            onUnreadable(actor, error);
            return unreadable(error);
          }
        };
        const cached = openedByFirstLook({ id: actor, kind: host.kind, shard }, found, open);
        actors.set(actor, cached);
        weight += cached.weight;
      });
    },
    trim: () => {
      for (const { id, kind } of actors.values()) {
        if (weight <= options.budget) return;
        // Runs are many and each is needed now and then; pools and the like are few and needed all the time.
        if (kind === "run") drop(id);
      }
    },
  };
}
