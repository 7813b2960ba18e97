import { z } from "zod";
import type { Config } from "../../config.ts";
import { judgeClock } from "../../doctor/clock.ts";
import type { Check } from "../../doctor/examine.ts";
import { type Finding, failed, ok, warning } from "../../doctor/finding.ts";
import { connectEngine, type Engine, messageOf, unless } from "./engine.ts";

/** Docker 20.10: older ones neither pull by platform nor tell what ran out of memory as the driver needs it. */
const leastApi = [1, 41] as const;

const Version = z.object({ Version: z.string(), ApiVersion: z.string() });
const Info = z.object({
  OSType: z.string(),
  SystemTime: z.coerce.date(),
  CgroupVersion: z.string().default("1"),
  MemoryLimit: z.boolean(),
  SwapLimit: z.boolean(),
  CpuCfsQuota: z.boolean(),
  IPv4Forwarding: z.boolean(),
  LiveRestoreEnabled: z.boolean(),
  SecurityOptions: z
    .array(z.string())
    .nullish()
    .transform((options) => options ?? []),
});
type Info = z.infer<typeof Info>;

/** What the driver of containers needs: a daemon that is new enough and keeps limits, its helper's image, a clock. */
export function dockerChecks({ executor, heartbeatTtlMs }: Config): readonly Check[] {
  const { dockerHost: host, helperImage, allowPrivileged } = executor;
  const advice = `start the Docker daemon, let this user talk to ${host}, or set OSTLER_DOCKER_HOST`;
  const check = (name: string, perform: (engine: Engine) => Promise<readonly Finding[]>): Check => ({
    name: `docker.${name}`,
    advice,
    perform: async () => {
      const { engine, close } = await connectEngine(host);
      return perform(engine).finally(close);
    },
  });
  return [
    check("daemon", checkDaemon),
    check("limits", async (engine) => checkLimits(await readInfo(engine))),
    check("privileged", async (engine) => (allowPrivileged ? checkPrivileged(await readInfo(engine)) : [])),
    check("helper", (engine) => checkHelper(engine, helperImage)),
    check("clock", (engine) => checkClock(engine, heartbeatTtlMs / 4)),
  ];
}

async function readInfo(engine: Engine): Promise<Info> {
  return Info.parse(await engine.info());
}

async function checkDaemon(engine: Engine): Promise<readonly Finding[]> {
  const check = "docker.daemon";
  const { Version: version, ApiVersion } = Version.parse(await engine.version());
  const { OSType, IPv4Forwarding, LiveRestoreEnabled } = await readInfo(engine);
  const message = `Docker ${version}, API ${ApiVersion}`;
  if (OSType !== "linux") return [failed(check, `${message}, runs ${OSType} containers`, "use a daemon for Linux containers")];
  const [major = 0, minor = 0] = ApiVersion.split(".").map(Number);
  if (major < leastApi[0] || (major === leastApi[0] && minor < leastApi[1])) return [failed(check, message, "use Docker 20.10 or newer")];
  const network = warning(
    "docker.network",
    "the host forwards no packets: containers reach nothing outside",
    "sysctl -w net.ipv4.ip_forward=1",
  );
  const restart = warning(
    "docker.restart",
    "a restart of the daemon ends the containers that run, and their tasks are tried again",
    'set "live-restore": true in its daemon.json',
  );
  return [ok(check, message), ...(IPv4Forwarding ? [] : [network]), ...(LiveRestoreEnabled ? [] : [restart])];
}

function checkLimits({ MemoryLimit, SwapLimit, CpuCfsQuota, CgroupVersion }: Info): readonly Finding[] {
  const check = "docker.limits";
  const missing = [
    ...(MemoryLimit ? [] : ["resources.memory"]),
    ...(CpuCfsQuota ? [] : ["resources.cpu"]),
    ...(SwapLimit || !MemoryLimit ? [] : ["the limit of swap that goes with resources.memory"]),
  ];
  if (missing.length === 0) return [ok(check, `memory and processor time are limited by cgroups of version ${CgroupVersion}`)];
  const advice = "switch the cgroup controllers on in the kernel's command line (cgroup_enable=memory swapaccount=1)";
  return [warning(check, `the kernel does not enforce ${missing.join(", ")}`, advice)];
}

function checkPrivileged({ SecurityOptions }: Info): readonly Finding[] {
  const check = "docker.privileged";
  const rootless = SecurityOptions.some((option) => option.includes("name=rootless"));
  if (!rootless) return [ok(check, "privileged containers may run, as OSTLER_EXECUTOR_ALLOW_PRIVILEGED says")];
  const advice = "use a daemon of root's for tasks that need it, or unset OSTLER_EXECUTOR_ALLOW_PRIVILEGED";
  return [warning(check, "the daemon is rootless: privileged containers have no more rights than its user", advice)];
}

/** Looks the image up in its registry where the daemon has none: nothing is pulled. */
async function checkHelper(engine: Engine, image: string): Promise<readonly Finding[]> {
  const check = "docker.helper";
  const found = await unless([404], engine.getImage(image).inspect());
  if (found) return [ok(check, `the daemon has ${image}`)];
  try {
    await engine.getImage(image).distribution();
    return [ok(check, `${image} will be pulled when the first pod needs it`)];
  } catch (error) {
    const advice = "let the daemon reach the registry, load the image into it, or set OSTLER_HELPER_IMAGE";
    return [failed(check, `the daemon has no ${image} and cannot get it: ${messageOf(error)}`, advice)];
  }
}

async function checkClock(engine: Engine, toleratedMs: number): Promise<readonly Finding[]> {
  const askedMs = Date.now();
  const { SystemTime } = await readInfo(engine);
  const reading = { otherMs: SystemTime.getTime(), askedMs, answeredMs: Date.now(), toleratedMs };
  return [judgeClock({ check: "docker.clock", whose: "the Docker daemon's clock", ...reading })];
}
