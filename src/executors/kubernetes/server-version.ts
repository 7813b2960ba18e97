import { z } from "zod";
import type { Api } from "./api.ts";

const Version = z.object({ major: z.string(), minor: z.string() });

/** Whether the server runs init containers beside the others if they have `restartPolicy: Always` (on by default since 1.29). */
export async function hasNativeSidecars(api: Api, signal: AbortSignal): Promise<boolean> {
  const { major, minor } = Version.parse(await api.call({ method: "GET", path: "/version" }, signal));
  // Some providers write `29+`.
  return Number.parseInt(major, 10) > 1 || Number.parseInt(minor, 10) >= 29;
}
