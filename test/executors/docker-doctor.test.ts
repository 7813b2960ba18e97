import { describe, expect, it } from "vitest";
import { parseConfig } from "../../src/config.ts";
import { examine } from "../../src/doctor/examine.ts";
import { driverChecks } from "../../src/executors/doctor.ts";
import { images } from "../support/docker-images.ts";
import { type PlayedAnswer, playServer } from "../support/played-server.ts";
import { describeWithDocker, sharedDocker } from "../support/shared-docker.ts";

/** What is not well, by check. */
async function problemsAt(host: string, env: Readonly<Record<string, string>> = {}): Promise<Readonly<Record<string, string>>> {
  const settings = { OSTLER_EXECUTOR_DRIVER: "docker", OSTLER_DOCKER_HOST: host, OSTLER_HELPER_IMAGE: images.busybox };
  const checks = await driverChecks(parseConfig({ env: { ...settings, ...env } }));
  const findings = await examine(checks, 20_000, new AbortController().signal);
  return Object.fromEntries(findings.flatMap(({ check, state, message }) => (state === "ok" ? [] : [[check, `${state}: ${message}`]])));
}

describeWithDocker("the doctor of a Docker daemon", { timeout: 60_000 }, () => {
  const host = async () => `unix://${(await sharedDocker()).socketPath}`;

  it("warns of nothing but what a restart would end", async () => {
    expect(await problemsAt(await host())).toEqual({ "docker.restart": expect.stringMatching(/^warning: .*ends the containers/) });
  });

  it("fails where the helper's image is neither there nor to be had", async () => {
    const problems = await problemsAt(await host(), { OSTLER_HELPER_IMAGE: "127.0.0.1:1/nobody/has-it:1" });
    expect(problems["docker.helper"]).toMatch(/^failed: the daemon has no 127\.0\.0\.1:1\/nobody\/has-it:1 and cannot get it: .*refused/);
  });
});

const good = {
  version: { Version: "28.0.0", ApiVersion: "1.48" },
  info: {
    ...{ OSType: "linux", SystemTime: "", CgroupVersion: "2", SecurityOptions: ["name=seccomp,profile=builtin"] },
    ...{ MemoryLimit: true, SwapLimit: true, CpuCfsQuota: true, IPv4Forwarding: true, LiveRestoreEnabled: true },
  },
};

/** A daemon that says these things of itself, and has every image. */
async function playDaemon({ version = {}, info = {} }: { readonly version?: object; readonly info?: object }) {
  const answerTo = (target: string): PlayedAnswer => {
    if (target.endsWith("/version")) return { json: { ...good.version, ...version } };
    if (target.endsWith("/info")) return { json: { ...good.info, SystemTime: new Date().toISOString(), ...info } };
    return { json: {} };
  };
  const { url } = await playServer(({ target }) => answerTo(target));
  return url.replace("http:", "tcp:");
}

describe("the doctor of a daemon that says of itself", () => {
  it("what is good, has nothing to say", async () => {
    expect(await problemsAt(await playDaemon({}))).toEqual({});
  });

  it.each([
    ["that it is too old", { version: { ApiVersion: "1.40" } }, "docker.daemon", "failed"],
    ["that it runs other containers", { info: { OSType: "windows" } }, "docker.daemon", "failed"],
    ["that it forwards nothing", { info: { IPv4Forwarding: false } }, "docker.network", "warning"],
    ["that it cannot limit memory", { info: { MemoryLimit: false, SwapLimit: false } }, "docker.limits", "warning"],
    ["a time long past", { info: { SystemTime: "2020-01-01T00:00:00Z" } }, "docker.clock", "failed"],
    [
      "that it has no root, although privileged is allowed",
      { info: { SecurityOptions: ["name=rootless"] } },
      "docker.privileged",
      "warning",
    ],
  ])("%s, says so", async (_, said, check, state) => {
    const problems = await problemsAt(await playDaemon(said), { OSTLER_EXECUTOR_ALLOW_PRIVILEGED: "true" });
    expect(problems).toEqual({ [check]: expect.stringMatching(new RegExp(`^${state}: `)) });
  });

  it("nothing at all, since it is away, fails at each check with what to do", async () => {
    const problems = await problemsAt("unix:///nowhere/docker.sock");
    expect(Object.keys(problems)).toEqual(["docker.daemon", "docker.limits", "docker.helper", "docker.clock"]);
    expect(problems["docker.daemon"]).toMatch(/^failed: .*ENOENT/);
  });
});
