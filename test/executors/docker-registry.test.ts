import Docker from "dockerode";
import { afterAll, beforeAll, expect, it } from "vitest";
import { createDockerDriver } from "../../src/executors/docker/docker-driver.ts";
import type { Driver } from "../../src/executors/driver.ts";
import { images } from "../support/docker-images.ts";
import { describeWithDocker, sharedDocker } from "../support/shared-docker.ts";
import { startRegistry, type TestRegistry } from "./docker-registry.ts";
import { podSpec, stepSpec } from "./driver-contract.ts";

const signal = new AbortController().signal;
const login = { username: "reader", password: "right-5e1d" };

describeWithDocker("the docker driver and a registry with logins", { timeout: 60_000 }, () => {
  let driver: Driver;
  let engine: Docker;
  let registry: TestRegistry;
  let lines: string[] = [];

  beforeAll(async () => {
    const docker = await sharedDocker();
    engine = new Docker({ socketPath: docker.socketPath });
    driver = createDockerDriver({ host: `unix://${docker.socketPath}`, helperImage: images.busybox, allowPrivileged: false });
    const [arch = ""] = await driver.archs();
    registry = await startRegistry(docker, { arch, login, isSlowUntil: () => lines.some((line) => / of 16\.\d MB/.test(line)) });
  });
  afterAll(async () => {
    registry.close();
    await driver.close();
  });

  const specOf = (name: string, password = login.password) =>
    podSpec({
      containers: [{ image: `${registry.host}/${name}`, environment: {}, privileged: false, tmpfs: [] }],
      registries: { "docker.io": { username: "other", password: "other" }, [registry.host]: { ...login, password } },
    });
  const start = (spec: ReturnType<typeof specOf>) => {
    lines = [];
    return driver.start(spec, (line) => lines.push(line), signal);
  };

  it("pulls an image with the task's login, and tells how far it is", async () => {
    const spec = specOf("team/tool:1");
    const image = `${registry.host}/team/tool:1`;
    const pod = await start(spec);
    await pod.startStep(stepSpec(0, "cat /hello"), signal);
    let output = "";
    for await (const chunk of pod.followOutput(0, 0, signal)) output += Buffer.from(chunk).toString();
    await driver.remove(spec.id, 0, signal);
    await engine.getImage(image).remove({ force: true });
    expect(output).toBe("hello\n");
    expect(lines[0]).toBe(`pulling ${image} as reader`);
    expect(lines.slice(1).join("\n")).toMatch(/^pulling \S+: \d+\.\d of 16\.\d MB/);
    expect(lines.join()).not.toContain(login.password);
  });

  it("gives up at once on an image that the registry does not have", async () => {
    await expect(start(specOf("team/none:1"))).rejects.toMatchObject({ reason: "image_permanent" });
    expect(registry.asked.some((line) => line.endsWith("/v2/team/none/manifests/1 true"))).toBe(true);
  });

  it("gives up at once on a wrong password, and does not repeat it", async () => {
    const fault = await start(specOf("team/tool:1", "wrong-77aa")).catch((error: unknown) => error);
    expect(fault).toMatchObject({ reason: "image_permanent" });
    expect(`${fault}${lines.join()}`).not.toContain("wrong-77aa");
  });

  it("gives up at once where the task has no login for the registry", async () => {
    await expect(start({ ...specOf("team/tool:1"), registries: {} })).rejects.toMatchObject({ reason: "image_permanent" });
  });

  it("takes a registry that is out of order for passing", async () => {
    registry.breakWith(503);
    await expect(start(specOf("team/tool:1"))).rejects.toMatchObject({ reason: "image" });
    registry.breakWith(0);
  });
});
