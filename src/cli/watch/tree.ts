import type { TaskView } from "../../runs/view.ts";

type Tasks = Readonly<Record<string, Pick<TaskView, "level" | "depends">>>;

/** A task and the lines that lead to it. */
export interface TreeRow {
  readonly name: string;
  readonly prefix: string;
}

/** Deeper than this the lines would push the names off the screen. */
const maxDepth = 8;

/**
 * A graph as a tree: a task hangs below its parent on the highest level (the one it waits for longest), other parents
 * are not drawn. Only a fork indents; a chain stays in one column.
 */
export function treeRows(tasks: Tasks): readonly TreeRow[] {
  const children = new Map<string | undefined, string[]>();
  for (const name of Object.keys(tasks).toSorted(byLevel(tasks))) {
    const parent = drawnParent(name, tasks);
    const siblings = children.get(parent);
    if (siblings) siblings.push(name);
    else children.set(parent, [name]);
  }

  const rows: TreeRow[] = [];
  // An own stack: a chain may be longer than calls may be deep.
  const stack = (children.get(undefined) ?? []).map((name) => ({ name, prefix: "", below: "", depth: 0 })).reverse();
  for (let next = stack.pop(); next; next = stack.pop()) {
    const { name, prefix, below, depth } = next;
    rows.push({ name, prefix });
    const names = children.get(name) ?? [];
    const forks = names.length > 1 && depth < maxDepth;
    const rowsBelow = names.map((child, i) => {
      if (!forks) return { name: child, prefix: below, below, depth };
      const isLast = i === names.length - 1;
      return { name: child, prefix: `${below}${isLast ? "└─ " : "├─ "}`, below: `${below}${isLast ? "   " : "│  "}`, depth: depth + 1 };
    });
    stack.push(...rowsBelow.reverse());
  }
  return rows;
}

/** By level, then name, in code-unit order: the order in which the run itself counts its tasks. */
export function byLevel(tasks: Tasks): (a: string, b: string) => number {
  return (a, b) => (tasks[a]?.level ?? 0) - (tasks[b]?.level ?? 0) || (a < b ? -1 : 1);
}

function drawnParent(name: string, tasks: Tasks): string | undefined {
  const parents = Object.keys(tasks[name]?.depends ?? {}).toSorted(byLevel(tasks));
  const highest = tasks[parents.at(-1) ?? ""]?.level;
  return parents.find((parent) => tasks[parent]?.level === highest);
}
