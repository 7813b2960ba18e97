import Docker from "dockerode";
import { afterAll, beforeAll, expect, it } from "vitest";
import { createDockerDriver } from "../../src/executors/docker/docker-driver.ts";
import type { Driver } from "../../src/executors/driver.ts";
import { images } from "../support/docker-images.ts";
import { type PrivateDocker, startDocker } from "../support/dockerd.ts";
import { describeWithDocker } from "../support/shared-docker.ts";
import { podSpec, stepSpec, steps } from "./driver-contract.ts";

const signal = new AbortController().signal;

describeWithDocker("the docker driver and a daemon that is killed", { timeout: 90_000 }, () => {
  let docker: PrivateDocker;
  let driver: Driver;
  beforeAll(async () => {
    docker = await startDocker();
    driver = createDockerDriver({ host: `unix://${docker.socketPath}`, helperImage: images.busybox, allowPrivileged: false });
  }, 60_000);
  afterAll(async () => {
    await driver.close();
    await docker.remove();
  });

  it("says that the pod is lost once the daemon is back, ends the log, and leaves no container", async () => {
    const spec = podSpec();
    const pod = await driver.start(spec, () => {}, signal);
    await pod.startStep(stepSpec(0, steps.hangs), signal);
    const limit = AbortSignal.timeout(30_000);
    const ended = pod.waitStep(0, limit).catch((error: unknown) => error);
    let output = "";
    for await (const chunk of pod.followOutput(0, 0, limit)) {
      if (output === "") {
        docker.kill("SIGKILL");
        await docker.restart();
      }
      output += Buffer.from(chunk).toString();
    }
    expect(output).toBe("up\n");
    // Without live-restore a daemon ends at its start what ran under the one before it.
    expect(await ended).toMatchObject({ type: "gone", reason: "pod_lost" });
    await driver.remove(spec.id, 0, signal);
    const left = await new Docker({ socketPath: docker.socketPath }).listContainers({ all: true });
    expect(left.map((container) => container.Names)).toEqual([]);
  });

  it("starts pods on the daemon after it", async () => {
    const spec = podSpec();
    const pod = await driver.start(spec, () => {}, signal);
    await pod.startStep(stepSpec(0, steps.fails), signal);
    expect(await pod.waitStep(0, signal)).toMatchObject({ type: "exited", exitCode: 3 });
    await driver.remove(spec.id, 0, signal);
  });
});
