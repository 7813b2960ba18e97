import type { Definition } from "./definition.ts";

/**
 * The dependencies of a definition as numbers: `names` in code-unit order, everything else by position in it.
 * A parent that does not exist is not there.
 */
export interface Topology {
  readonly names: readonly string[];
  readonly positions: ReadonlyMap<string, number>;
  readonly parents: readonly (readonly number[])[];
  readonly children: readonly (readonly number[])[];
  /** Positions so that every task comes after its parents. Tasks on a cycle, and below one, are missing. */
  readonly order: readonly number[];
  /** 0 without parents, else one more than the highest parent's; meaningless for what is not in `order`. */
  readonly levels: readonly number[];
}

export function topologyOf(tasks: Definition["tasks"]): Topology {
  const names = Object.keys(tasks).sort();
  const positions = new Map(names.map((name, position) => [name, position]));
  const children: number[][] = names.map(() => []);
  const parents = names.map((name, position) => {
    const known: number[] = [];
    for (const parent of Object.keys(tasks[name]?.depends ?? {})) {
      const parentPosition = positions.get(parent);
      if (parentPosition === undefined) continue;
      known.push(parentPosition);
      children[parentPosition]?.push(position);
    }
    return known;
  });
  return { names, positions, parents, children, ...sortByDependency(parents, children) };
}

function sortByDependency(parents: readonly (readonly number[])[], children: readonly (readonly number[])[]) {
  const unsorted = parents.map((list) => list.length);
  const levels = parents.map(() => 0);
  const order = [...parents.keys()].filter((position) => unsorted[position] === 0);
  // `order` grows while it is walked: it is its own queue.
  for (const position of order) {
    const level = (levels[position] ?? 0) + 1;
    for (const child of children[position] ?? []) {
      levels[child] = Math.max(levels[child] ?? 0, level);
      const left = (unsorted[child] ?? 0) - 1;
      unsorted[child] = left;
      if (left === 0) order.push(child);
    }
  }
  return { order, levels };
}

/** One cycle per knot of tasks that depend on each other, each task followed by one that it depends on. */
export function findCycles(topology: Topology): readonly (readonly string[])[] {
  const sorted = new Set(topology.order);
  const walked = new Set<number>();
  const cycles: string[][] = [];
  for (const start of topology.names.keys()) {
    if (sorted.has(start) || walked.has(start)) continue;
    const path: number[] = [];
    let at: number | undefined = start;
    // Whatever is not sorted has a parent that is not sorted either, so the walk ends on a cycle, or where another walk has been.
    while (at !== undefined && !walked.has(at)) {
      walked.add(at);
      path.push(at);
      at = topology.parents[at]?.find((parent) => !sorted.has(parent));
    }
    const entry = at === undefined ? -1 : path.indexOf(at);
    if (entry >= 0) cycles.push(path.slice(entry).map((position) => topology.names[position] ?? ""));
  }
  return cycles;
}
