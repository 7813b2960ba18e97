import { type Config, parseConfig } from "../../src/config.ts";

export const rootGroups = 16;
export const executorId = "bench";
export const taskLimit = 1_000;

/** The settings of every process of a benchmarked installation. */
export function settings(place: { readonly url: string; readonly folder: string }): Config {
  return parseConfig({
    argv: [],
    env: {
      OSTLER_REDIS_URL: place.url,
      OSTLER_DATA_DIR: place.folder,
      OSTLER_DURABILITY: "everysec",
      OSTLER_EXECUTOR_ID: executorId,
      OSTLER_EXECUTOR_TASK_LIMIT: String(taskLimit),
      OSTLER_LOG_LEVEL: process.env["BENCH_LOG"] ?? "warn",
      PATH: process.env["PATH"],
    },
  });
}
