import { existsSync } from "node:fs";

const programs = ["/bin/busybox", "/usr/bin/setpriv", "/usr/bin/unshare", "/usr/bin/nsenter", "/usr/bin/script"];

/** Why there can be no simulated cluster here, in one sentence; undefined if there can. */
export function simulatorProblem(): string | undefined {
  if (process.platform !== "linux" || process.getuid?.() !== 0) return "containers of a simulated cluster need Linux and root";
  const missing = programs.filter((program) => !existsSync(program));
  return missing.length === 0 ? undefined : `there is no ${missing.join(", ")} (Debian: busybox-static, util-linux, bsdutils)`;
}
