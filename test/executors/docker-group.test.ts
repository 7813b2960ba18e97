import { expect, it } from "vitest";
import { createDockerDriver } from "../../src/executors/docker/docker-driver.ts";
import { images } from "../support/docker-images.ts";
import { startDocker } from "../support/dockerd.ts";
import { describeWithDocker, sharedDocker } from "../support/shared-docker.ts";

async function groupOf({ socketPath }: { readonly socketPath: string }): Promise<string> {
  const driver = createDockerDriver({ host: `unix://${socketPath}`, helperImage: images.busybox, allowPrivileged: false });
  return driver.groupId().finally(driver.close);
}

describeWithDocker("two daemons of one machine", () => {
  it("are two groups, since neither sees the other's pods", async () => {
    const [shared, other] = [await sharedDocker(), await startDocker()];
    try {
      expect(await groupOf(shared)).toBe(await groupOf(shared));
      expect(await groupOf(other)).not.toBe(await groupOf(shared));
    } finally {
      await other.remove();
    }
  });
});
