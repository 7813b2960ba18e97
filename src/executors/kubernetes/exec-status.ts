import { z } from "zod";

const Status = z.object({
  status: z.string().optional(),
  message: z.string().optional(),
  details: z.object({ causes: z.array(z.object({ reason: z.string().optional() })).optional() }).optional(),
});

/** Why a command did not run, by the last frame of its connection; undefined if it ran, whatever its exit code. */
export function faultOfStatus(text: string): string | undefined {
  const { data } = Status.safeParse(parseJson(text));
  if (!data) return `no status: ${text.slice(0, 200)}`;
  if (data.status === "Success" || data.details?.causes?.some(({ reason }) => reason === "ExitCode")) return undefined;
  return data.message ?? "the command could not be run";
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
