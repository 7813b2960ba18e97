import { executorSettings } from "../config/executor-settings.ts";
import { flagOf, type Setting } from "../config/setting.ts";
import { serverSettings } from "../config/settings.ts";

function line(setting: Setting<unknown>): string {
  const value = "default" in setting ? setting.default : "derive" in setting ? setting.derived : setting.absent;
  return `  --${flagOf(setting.env).padEnd(28)} ${value.replaceAll("`", "")}`;
}

/** What `ostler serve --help` prints. */
export function usage(): string {
  const settings: readonly Setting<unknown>[] = [...Object.values(serverSettings), ...Object.values(executorSettings)];
  return [
    "Usage: ostler serve [--flag value]…",
    "",
    "Starts ostler: API, scheduler and executor as supervised processes, with a private Redis unless OSTLER_REDIS_URL is set.",
    "Every flag --a-b is also the variable OSTLER_A_B, and OSTLER_A_B_FILE names a file that holds the value.",
    "",
    `  ${"flag".padEnd(30)} default`,
    ...settings.map(line),
    "",
    "docs/settings.md says what each of them does.",
    "",
  ].join("\n");
}
