import type { PodEntry } from "./driver.ts";

/** An executor as its record in Redis describes it. */
export interface MemberRecord {
  readonly incarnation: string;
  readonly life: "active" | "cordoned" | "suspect" | "lost";
  readonly group: string;
}

/** One look at the group: records were read before the pods were listed, own assignments after. */
export interface Look {
  readonly executor: string;
  readonly group: string;
  /** Of all executors of the installation, whatever their group. */
  readonly records: ReadonlyMap<string, MemberRecord>;
  readonly pods: readonly PodEntry[];
  /** What this executor runs, removes, or is told to run. */
  readonly ownAssignments: ReadonlySet<string>;
  /** Changes when Redis may have forgotten something: an absent record proves nothing then. */
  readonly history: string;
  /** Own clock (ms), for spans only. */
  readonly at: number;
  readonly fenceMs: number;
}

/** What is remembered from look to look. Plain data; every look replaces it. */
export interface Memory {
  readonly history: string;
  /** Pods that nobody seems to own -> looks in a row. */
  readonly suspects: ReadonlyMap<string, number>;
  /** Executors without a record -> since when. */
  readonly absentSince: ReadonlyMap<string, number>;
  /** Executors whose record was there in this history: if it is gone, somebody has deleted it. */
  readonly seen: ReadonlySet<string>;
  /** `executor incarnation` of lost ones -> complete lists in a row without a pod of theirs. */
  readonly clean: ReadonlyMap<string, number>;
}

export const noMemory: Memory = { history: "", suspects: new Map(), absentSince: new Map(), seen: new Set(), clean: new Map() };

/** Two looks: one may fall into the moment between a pod and its assignment, or its executor's return. */
const looksNeeded = 2;

export interface Findings {
  readonly memory: Memory;
  /** Pods to remove. */
  readonly remove: readonly PodEntry[];
  /** Lost executors of this group none of whose pods is left, as two complete lists since their revocation show. */
  readonly gone: readonly { readonly executor: string; readonly incarnation: string }[];
}

/** Decides whose pods must go: only on positive evidence, seen twice, and never a living executor's (A9). */
export function judge(memory: Memory, look: Look): Findings {
  const absentSince = rememberAbsent(memory, look);
  const suspects = new Map<string, number>();
  const remove: PodEntry[] = [];
  for (const pod of look.pods) {
    const standing = standingOf(pod, look, absentSince);
    if (standing === "kept") continue;
    const looks = (memory.suspects.get(pod.id) ?? 0) + 1;
    suspects.set(pod.id, looks);
    if (standing === "condemned" && looks >= looksNeeded) remove.push(pod);
  }
  const clean = countCleanLists(memory, look);
  const gone = [...clean].filter(([, lists]) => lists >= looksNeeded).map(([key]) => splitKey(key));
  return { memory: { history: look.history, suspects, absentSince, seen: rememberSeen(memory, look), clean }, remove, gone };
}

/** `suspected` pods are only counted: their executor may still come back. */
function standingOf(pod: PodEntry, look: Look, absentSince: ReadonlyMap<string, number>): "kept" | "suspected" | "condemned" {
  const { executor } = pod.owner;
  if (executor === look.executor) return look.ownAssignments.has(pod.id) ? "kept" : "condemned";
  const record = look.records.get(executor);
  if (!record) {
    const since = absentSince.get(executor) ?? look.at;
    return look.at - since >= look.fenceMs ? "condemned" : "suspected";
  }
  if (record.life === "lost") return "condemned";
  return record.life === "suspect" ? "suspected" : "kept";
}

/** How long each pod's executor has had no record, without a change of history: a deleted one for long enough. */
function rememberAbsent(memory: Memory, { records, pods, history, at, fenceMs }: Look): ReadonlyMap<string, number> {
  const { absentSince, seen } = memory.history === history ? memory : noMemory;
  const absent = pods.map((pod) => pod.owner.executor).filter((executor) => !records.has(executor));
  return new Map(absent.map((executor) => [executor, absentSince.get(executor) ?? (seen.has(executor) ? at - fenceMs : at)]));
}

/** Those with a record, and those deleted since whose pods are still there. */
function rememberSeen(memory: Memory, { records, pods, history }: Look): ReadonlySet<string> {
  const known = memory.history === history ? memory.seen : noMemory.seen;
  const deleted = pods.map((pod) => pod.owner.executor).filter((executor) => known.has(executor));
  return new Set([...records.keys(), ...deleted]);
}

function countCleanLists(memory: Memory, { records, pods, group }: Look): ReadonlyMap<string, number> {
  const withPods = new Set(pods.map((pod) => pod.owner.executor));
  const clean = new Map<string, number>();
  for (const [executor, record] of records) {
    if (record.life !== "lost" || record.group !== group || withPods.has(executor)) continue;
    const key = `${executor} ${record.incarnation}`;
    clean.set(key, (memory.clean.get(key) ?? 0) + 1);
  }
  return clean;
}

function splitKey(key: string): { readonly executor: string; readonly incarnation: string } {
  const [executor = "", incarnation = ""] = key.split(" ");
  return { executor, incarnation };
}

/** The other members of an executor's group, in order of their ids. */
export function siblings(look: Pick<Look, "records">, executor: string): readonly string[] {
  const group = look.records.get(executor)?.group;
  return [...look.records]
    .filter(([id, record]) => id !== executor && record.group === group)
    .map(([id]) => id)
    .sort();
}

/** The group of an executor: members that are alive, and owners of pods that are still there. */
export function group(look: Pick<Look, "records" | "pods">, executor: string): readonly string[] {
  const name = look.records.get(executor)?.group;
  const alive = [...look.records].filter(([, record]) => record.group === name && record.life !== "lost").map(([id]) => id);
  return [...new Set([...alive, ...look.pods.map((pod) => pod.owner.executor)])].sort();
}
