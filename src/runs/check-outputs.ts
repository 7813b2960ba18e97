import type { Path } from "./location.ts";
import type { Topology } from "./topology.ts";

/** `OSTLER_OUTPUT_` and this, `_`, the output's key: what a task's outputs are called in its descendants. */
export function outputName(text: string): string {
  return text.toUpperCase().replaceAll(/[^A-Z0-9]/g, "_");
}

/**
 * Steps that all groups of like-named tasks may cost together, a second or so. Only a definition made to be slow needs more
 * (thousands of pairs of like names, each with thousands of descendants): it is told to use other names.
 */
const maxVisits = 20_000_000;

/** Finds tasks whose outputs would have the same name in some descendant of both. Two tasks whose descendants differ may be alike. */
export function checkOutputs(topology: Topology, report: (path: Path, message: string) => void): void {
  let visits = 0;
  for (const members of groupByOutputName(topology)) {
    const collision = visits > maxVisits ? undefined : findCommonDescendant(topology, members, () => visits++);
    if (visits > maxVisits) report(["tasks"], `too many names that outputs cannot tell apart, such as ${quote(topology, members)}`);
    else if (collision) {
      const { descendant, members: pair } = collision;
      report(["tasks", topology.names[descendant] ?? ""], `outputs of its ancestors ${quote(topology, pair)} would have the same names`);
    }
    if (visits > maxVisits) return;
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

/** Walks down from each member in turn; where two walks meet, both are ancestors. A task met twice by one walk is entered once. */
function findCommonDescendant(topology: Topology, members: readonly number[], visit: () => void) {
  const ancestorOf = new Map<number, number>();
  for (const member of members) {
    const stack = [member];
    for (let at = stack.pop(); at !== undefined; at = stack.pop()) {
      for (const child of topology.children[at] ?? []) {
        visit();
        const earlier = ancestorOf.get(child);
        if (earlier === member) continue;
        if (earlier !== undefined) return { descendant: child, members: [earlier, member] };
        ancestorOf.set(child, member);
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
