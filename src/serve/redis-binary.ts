import { execFile } from "node:child_process";
import { access, constants, stat } from "node:fs/promises";
import { delimiter, join } from "node:path";
import { promisify } from "node:util";
import { StartError } from "./start-error.ts";

const names = ["valkey-server", "redis-server"] as const;

/** Flags of scripts and `WAITAOF`'s precursors came with 7.0; every Valkey is newer. */
const leastMajor = 7;

const advice =
  "install one with the system's package manager (apt-get install redis-server, dnf install valkey, apk add valkey, brew install valkey, pacman -S valkey), or set OSTLER_REDIS_URL";

/** The first server on the search path that is new enough; throws StartError that says what to install. */
export async function findRedisBinary(searchPath: string): Promise<string> {
  const tooOld: string[] = [];
  for (const name of names) {
    for (const folder of searchPath.split(delimiter).filter((entry) => entry !== "")) {
      const file = join(folder, name);
      if (!(await isExecutable(file))) continue;
      const version = await versionOf(file);
      if (Number.parseInt(version, 10) >= leastMajor) return file;
      tooOld.push(`${file} is ${version === "" ? "of an unknown version" : version}`);
    }
  }
  if (tooOld.length === 0) throw new StartError(`found neither valkey-server nor redis-server: ${advice}`);
  throw new StartError(`ostler needs Redis ${leastMajor}.0 or Valkey, but ${tooOld.join(" and ")}: ${advice}`);
}

async function isExecutable(file: string): Promise<boolean> {
  try {
    await access(file, constants.X_OK);
    return (await stat(file)).isFile();
  } catch {
    return false;
  }
}

/** `7.0.15`; empty if the program does not say. */
async function versionOf(file: string): Promise<string> {
  const { stdout } = await promisify(execFile)(file, ["--version"], { timeout: 10_000 }).catch(() => ({ stdout: "" }));
  return /\bv=(\d+\.\d+\.\d+)/.exec(stdout)?.[1] ?? "";
}
