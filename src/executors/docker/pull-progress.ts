import { z } from "zod";

/** A line of what the daemon tells of a pull. */
export const PullLine = z.object({
  status: z.string().optional(),
  id: z.string().optional(),
  progressDetail: z.object({ current: z.number().optional(), total: z.number().optional() }).nullish(),
  error: z.string().optional(),
});
export type PullLine = z.infer<typeof PullLine>;

/** A line at most this often: the pull of a large image would else fill the log. */
const everyMs = 2_000;

/** Turns the daemon's many lines into few: what was fetched so far of what is known to come. */
export function createPullProgress(image: string, say: (line: string) => void): (line: PullLine) => void {
  const layers = new Map<string, { readonly current: number; readonly total: number }>();
  let saidAt = performance.now();
  return ({ status, id, progressDetail }) => {
    if (id === undefined || status !== "Downloading") return;
    const { current = 0, total = 0 } = progressDetail ?? {};
    layers.set(id, { current, total });
    if (performance.now() - saidAt < everyMs) return;
    saidAt = performance.now();
    const sum = (of: "current" | "total") => [...layers.values()].reduce((all, layer) => all + layer[of], 0);
    say(`pulling ${image}: ${megabytes(sum("current"))} of ${megabytes(sum("total"))} MB`);
  };
}

function megabytes(bytes: number): string {
  return (bytes / 1_000_000).toFixed(1);
}
