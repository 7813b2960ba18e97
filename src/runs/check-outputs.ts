import type { Path } from "./location.ts";
import type { Topology } from "./topology.ts";

/** `OSTLER_OUTPUT_` and this, `_`, the output's key: what a task's outputs are called in its descendants. */
export function outputName(text: string): string {
  return text.toUpperCase().replaceAll(/[^A-Z0-9]/g, "_");
}

/**
 * Steps down the graph that all groups of like-named tasks may take together, a fraction of a second. Only a definition made to be
 * slow needs more (thousands of pairs of like names, each with thousands of descendants): it is told to use other names.
 */
const maxVisits = 5_000_000;

/** Finds tasks whose outputs would have the same name in some descendant of both. Two tasks without a common descendant may be alike. */
export function checkOutputs(topology: Topology, report: (path: Path, message: string) => void): void {
  const walk: Walk = {
    topology,
    group: new Int32Array(topology.names.length),
    met: new Int32Array(topology.names.length).fill(-1),
    visits: 0,
  };
  for (const [number, members] of groupByOutputName(topology).entries()) {
    for (const member of members) walk.group[member] = number + 1;
    const collision = findCommonDescendant(walk, members);
    if (walk.visits > maxVisits) {
      report(["tasks"], `too many names that outputs cannot tell apart, such as ${quote(topology, members)}`);
      return;
    }
    if (!collision) continue;
    const { descendant, pair } = collision;
    report(["tasks", topology.names[descendant] ?? ""], `outputs of its ancestors ${quote(topology, pair)} would have the same names`);
  }
}

function groupByOutputName(topology: Topology): readonly (readonly number[])[] {
  const groups = new Map<string, number[]>();
  for (const [position, name] of topology.names.entries()) {
    const output = outputName(name);
    const group = groups.get(output);
    if (group) group.push(position);
    else groups.set(output, [position]);
  }
  return [...groups.values()].filter((group) => group.length > 1);
}

interface Walk {
  readonly topology: Topology;
  /** The group that a task is a member of, from 1; 0 for the many that are alone. */
  readonly group: Int32Array;
  /** The member whose walk came by last, or -1. It counts only if it is of the group that is being walked. */
  readonly met: Int32Array;
  visits: number;
}

/** Walks down from each member in turn; where two walks meet, both are ancestors. So no task is entered twice for one group. */
function findCommonDescendant(walk: Walk, members: readonly number[]) {
  const { topology, group, met } = walk;
  for (const member of members) {
    const stack = [member];
    for (let at = stack.pop(); at !== undefined && walk.visits <= maxVisits; at = stack.pop()) {
      for (const child of topology.children[at] ?? []) {
        walk.visits++;
        const earlier = met[child] ?? -1;
        if (earlier === member) continue;
        if (earlier >= 0 && group[earlier] === group[member]) return { descendant: child, pair: [earlier, member] };
        met[child] = member;
        stack.push(child);
      }
    }
  }
  return undefined;
}

function quote(topology: Topology, members: readonly number[]): string {
  const [first = 0, second = 0] = members;
  return `"${topology.names[first]}" and "${topology.names[second]}"`;
}
