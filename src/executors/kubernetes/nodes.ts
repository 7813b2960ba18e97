import { z } from "zod";
import type { Api } from "./api.ts";
import { isStatus } from "./api-error.ts";
import { watchObjects } from "./object-watch.ts";
import { orAborted } from "./or-aborted.ts";

const Node = z.object({
  metadata: z.object({ name: z.string(), labels: z.record(z.string(), z.string()).nullish() }),
  status: z.object({ conditions: z.array(z.object({ type: z.string(), status: z.string() })).nullish() }).nullish(),
});
type Node = z.infer<typeof Node>;

/** The nodes that pods may come to, followed as they come and go. */
export interface Nodes {
  /** Distinct, sorted; of no use before the first list, so it waits for that. Undefined where nodes may not be read. */
  readonly archs: (signal: AbortSignal) => Promise<readonly string[] | undefined>;
  readonly archOf: (node: string | undefined) => string | undefined;
  /** False only for a node that is known not to answer its server, or not to be there. */
  readonly answers: (node: string) => boolean;
  readonly close: () => Promise<void>;
}

export function openNodes(api: Api): Nodes {
  const over = new AbortController();
  const nodes = new Map<string, Node>();
  const first = Promise.withResolvers<"listed" | "forbidden">();
  let isListed = false;
  const running = watchObjects(
    {
      api,
      path: "/api/v1/nodes",
      parse: (raw) => Node.parse(raw),
      onChange: (node) => nodes.set(node.metadata.name, node),
      onGone: (node) => nodes.delete(node.metadata.name),
      onListing: () => {},
      onList: (found) => {
        nodes.clear();
        for (const node of found) nodes.set(node.metadata.name, node);
        isListed = true;
        first.resolve("listed");
      },
      onFault: (error) => {
        if (isStatus(error, 401, 403)) first.resolve("forbidden");
      },
    },
    over.signal,
  );
  running.catch(() => {});

  return {
    archs: async (signal) => {
      const how = await orAborted(first.promise, signal);
      if (how === "forbidden" && !isListed) return undefined;
      return [...new Set([...nodes.values()].flatMap((node) => archOf(node) ?? []))].sort();
    },
    archOf: (name) => {
      const node = name === undefined ? undefined : nodes.get(name);
      return node && archOf(node);
    },
    answers: (name) => {
      if (!isListed) return true;
      const ready = nodes.get(name)?.status?.conditions?.find(({ type }) => type === "Ready");
      return nodes.has(name) && ready?.status !== "Unknown";
    },
    close: async () => {
      over.abort(new Error("the watch was closed"));
      await running.catch(() => {});
    },
  };
}

function archOf({ metadata }: Node): string | undefined {
  return metadata.labels?.["kubernetes.io/arch"];
}
