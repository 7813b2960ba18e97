import { createDockerDriver } from "../../src/executors/docker/docker-driver.ts";
import { images } from "../support/docker-images.ts";
import { describeWithDocker, sharedDocker } from "../support/shared-docker.ts";
import { driverContract } from "./driver-contract.ts";

const signal = new AbortController().signal;

async function openPods() {
  const docker = await sharedDocker();
  const create = () => createDockerDriver({ host: `unix://${docker.socketPath}`, helperImage: images.busybox, allowPrivileged: false });
  const driver = create();
  return {
    driver,
    successor: create,
    close: async () => {
      for (const installation of ["i1", "i2"]) {
        for (const pod of await driver.list(installation, signal)) await driver.remove(pod.id, 0, signal);
      }
      await driver.close();
    },
  };
}

describeWithDocker("docker", () => {
  driverContract({ name: "docker", survivesItsProcess: true }, openPods);
});
