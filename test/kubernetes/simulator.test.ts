import { CoreV1Api, KubeConfig } from "@kubernetes/client-node";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Simulator, startSimulator } from "../support/kubernetes/simulator.ts";
import { until } from "../support/until.ts";

describe("the simulated cluster", () => {
  let simulator: Simulator;
  beforeAll(async () => {
    simulator = await startSimulator();
  });
  afterAll(() => simulator.close());

  it("runs a pod for the unmodified client", async () => {
    const config = new KubeConfig();
    config.loadFromString(simulator.kubeconfig);
    const api = config.makeApiClient(CoreV1Api);
    const container = { name: "main", image: "docker.io/library/busybox:1", command: ["sh", "-c", "exit 7"] };
    const pod = {
      metadata: { name: "seven" },
      spec: { restartPolicy: "Never", automountServiceAccountToken: false, containers: [container] },
    };
    await api.createNamespacedPod({ namespace: "ostler", body: pod });
    const read = () => api.readNamespacedPod({ namespace: "ostler", name: "seven" });
    await until("the pod has failed", async () => (await read()).status?.phase === "Failed");
    expect((await read()).status?.containerStatuses?.[0]?.state?.terminated).toMatchObject({ exitCode: 7, reason: "Error" });
  });
});
