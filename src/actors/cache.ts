import type { ActorKind } from "./actor.ts";
import type { Host, Instance } from "./host.ts";
import type { ActorLocation, OwnerStore } from "./owner-store.ts";

/** The actors that an owner has in memory. Whatever is here was loaded, or committed, under the owner's present tokens. */
export interface ActorCache {
  readonly get: (actor: string) => CachedActor | undefined;
  /** Loads those of `actors` that are not there yet, in one round trip. */
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
  readonly instance: Instance;
  /** Rough size of the stored state, for the memory budget. */
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
  };
}

function weigh(parts: readonly (Readonly<Record<string, string>> | string | null)[]): number {
  let sum = 0;
  for (const part of parts) {
    if (typeof part === "string") sum += part.length;
    else if (part) for (const value of Object.values(part)) sum += value.length + 50;
  }
  return sum;
}

export function createActorCache(options: {
  readonly hosts: ReadonlyMap<string, Host>;
  readonly load: OwnerStore["load"];
  /** Characters of stored state to keep at most, roughly. */
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
        let instance: Instance;
        try {
          instance = host.open(id, found);
        } catch (error) {
          onUnreadable(actor, error);
          instance = unreadable(error);
        }
        const size = (found.state?.length ?? 0) + weigh(found.parts) + 200;
        actors.set(actor, { id: actor, kind: host.kind, shard, instance, weight: size });
        weight += size;
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
