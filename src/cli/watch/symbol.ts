import type { TaskView } from "../../runs/view.ts";
import type { Paint } from "../text/colour.ts";

type Style = Parameters<Paint>[0];

/** How a task looks: told apart without colours too. */
export function symbolOf(task: Pick<TaskView, "status" | "ignoreFailure" | "waitingApproval">): {
  readonly symbol: string;
  readonly style: Style;
} {
  switch (task.status) {
    case "success":
      return { symbol: "✓", style: "green" };
    case "failed":
      return task.ignoreFailure ? { symbol: "✗", style: "yellow" } : { symbol: "✗", style: ["red", "bold"] };
    case "running":
      return { symbol: "●", style: "cyan" };
    case "stopped":
    case "cancelled":
      return { symbol: "■", style: "yellow" };
    case "skipped":
      return { symbol: "–", style: "dim" };
    default:
      return task.waitingApproval ? { symbol: "?", style: ["yellow", "bold"] } : { symbol: "○", style: "dim" };
  }
}
