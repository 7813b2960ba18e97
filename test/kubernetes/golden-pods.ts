import { readFileSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import { ObservedPod } from "../../src/executors/kubernetes/observed-pod.ts";

const Line = z.looseObject({
  kind: z.string(),
  t_ms: z.number(),
  stream: z.string().optional(),
  type: z.string().optional(),
  object: z.unknown().optional(),
});

export interface PodEvent {
  readonly at: number;
  readonly type: string;
  readonly pod: ObservedPod;
}

/** What a real cluster's watch said of pods in a recorded scenario, in order; `(unchanged)` specs are filled in again. */
export function goldenPods(scenario: string): readonly PodEvent[] {
  const text = readFileSync(join(import.meta.dirname, "golden", `${scenario}.jsonl`), "utf8");
  const specs = new Map<string, unknown>();
  return text
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => Line.parse(JSON.parse(line)))
    .flatMap((line): readonly PodEvent[] => {
      const object = z
        .looseObject({ kind: z.literal("Pod").optional(), metadata: z.looseObject({ uid: z.string() }), spec: z.unknown().optional() })
        .safeParse(line.object);
      // A recording of several kinds names them by their stream.
      if (line.kind !== "watch-event" || !object.data || (line.stream ?? "pods") !== "pods") return [];
      const { uid } = object.data.metadata;
      if (typeof object.data.spec === "object") specs.set(uid, object.data.spec);
      const pod = ObservedPod.parse({ ...object.data, spec: specs.get(uid) });
      return [{ at: line.t_ms, type: line.type ?? "", pod }];
    });
}
