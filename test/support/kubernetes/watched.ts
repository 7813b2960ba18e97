import type { ClusterUnderTest } from "./cluster-under-test.ts";
import { type Json, numberAt, parseJson, textAt } from "./json.ts";

/** A watch that remembers what it was told. */
export interface Watched {
  readonly lines: readonly Json[];
  /** "TYPE name" of each event. */
  readonly told: () => readonly string[];
  readonly ended: () => boolean;
  readonly stop: () => void;
}

/** Begins a watch. */
export async function watch(cluster: ClusterUnderTest, path: string): Promise<Watched> {
  const response = await cluster.open({ method: "GET", path });
  const lines: Json[] = [];
  let rest = "";
  let ended = false;
  response.on("data", (bytes: Buffer) => {
    const parts = (rest + bytes.toString()).split("\n");
    rest = parts.pop() ?? "";
    lines.push(...parts.map(parseJson));
  });
  response.on("close", () => {
    ended = true;
  });
  response.on("error", () => {});
  return {
    lines,
    told: () =>
      lines.map((line) => `${textAt(line, "type")} ${textAt(line, "object", "metadata", "name") ?? numberAt(line, "object", "code")}`),
    ended: () => ended,
    stop: () => response.destroy(),
  };
}
