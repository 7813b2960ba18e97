/** The graphs that are measured. A task has no steps: what is measured is the scheduling alone. */
export type Shape = "chain-10" | "fan-20" | "diamond" | "chain-1000" | "fan-1000" | "fan-100000";

interface BareTask {
  readonly image: string;
  readonly steps: readonly never[];
  readonly depends?: readonly string[];
}

function task(depends: readonly string[] = []): BareTask {
  return { image: "none", steps: [], ...(depends.length > 0 && { depends }) };
}

function chain(size: number): Record<string, BareTask> {
  return Object.fromEntries(Array.from({ length: size }, (_, i) => [`t${i}`, task(i === 0 ? [] : [`t${i - 1}`])]));
}

/** One, then `width` side by side, then one that waits for all of them. */
function fan(width: number): Record<string, BareTask> {
  const middle = Array.from({ length: width }, (_, i) => `m${i}`);
  return { first: task(), ...Object.fromEntries(middle.map((name) => [name, task(["first"])])), last: task(middle) };
}

/** As `fan`, with the last task waiting for the first only: a task may have 1,000 parents at most. */
function wideFan(width: number): Record<string, BareTask> {
  return { ...fan(0), ...Object.fromEntries(Array.from({ length: width }, (_, i) => [`m${i}`, task(["first"])])) };
}

export function tasksOf(shape: Shape): Record<string, BareTask> {
  switch (shape) {
    case "chain-10":
      return chain(10);
    case "fan-20":
      return fan(20);
    case "diamond":
      return fan(2);
    case "chain-1000":
      return chain(1_000);
    case "fan-1000":
      return fan(1_000);
    case "fan-100000":
      return wideFan(99_998);
  }
}

export function taskCount(shape: Shape): number {
  return Object.keys(tasksOf(shape)).length;
}
