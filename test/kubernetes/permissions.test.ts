import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { Driver, PodContainer } from "../../src/executors/driver.ts";
import { permissions } from "../../src/executors/kubernetes/permissions.ts";
import { podSpec, stepSpec } from "../executors/driver-contract.ts";
import { type Simulator, startSimulator } from "../support/kubernetes/simulator.ts";
import { driverOf } from "./tested-cluster.ts";

const signal = new AbortController().signal;
const main: PodContainer = { image: "busybox:1.37-musl", environment: {}, privileged: false, tmpfs: [] };
const service: PodContainer = { ...main, environment: { A: "b" }, entrypoint: ["sh", "-c", "echo up; exec sleep 1000"] };

describe("what the driver must be allowed", () => {
  let simulator: Simulator;
  const drivers: Driver[] = [];
  beforeEach(async () => {
    simulator = await startSimulator();
  });
  afterEach(async () => {
    for (const driver of drivers.splice(0)) await driver.close();
    await simulator.close();
  });

  /** A driver that may do what the list says, but for what `leftOut` names. */
  const driverWithout = async (leftOut: (permission: (typeof permissions)[number]) => boolean) => {
    const rules = (scope: "namespace" | "cluster") =>
      permissions
        .filter((permission) => permission.scope === scope && !leftOut(permission))
        .map(({ resource, verbs }) => ({ resources: [resource], verbs }));
    const account = { namespace: "ostler", name: "executor", rules: rules("namespace"), clusterRules: rules("cluster") };
    const driver = await driverOf(simulator, simulator.kubeconfigOf(account));
    drivers.push(driver);
    return driver;
  };
  const runs = async (driver: Driver) => {
    const spec = podSpec({ containers: [main, service], registries: { "docker.io": { username: "u", password: "p" } } });
    const pod = await driver.start(spec, () => {}, signal);
    await pod.startStep(stepSpec(0, "exit 5"), signal);
    expect(await pod.waitStep(0, signal)).toMatchObject({ exitCode: 5 });
    for await (const chunk of pod.followService(1, 0, signal)) if (chunk.length > 0) break;
    expect(await driver.attach(spec.id, signal)).toBeDefined();
    expect(await driver.list("i1", signal)).toHaveLength(1);
    await driver.remove(spec.id, 0, signal);
    return pod;
  };

  it("is all in its list, and nothing in the list is without use", async () => {
    const driver = await driverWithout(() => false);
    expect(await driver.archs()).toEqual(["amd64"]);
    await driver.groupId();
    await runs(driver);
    const other = await driverWithout(() => false);
    await other.remove("01m856e13m00002p7my5c07hdh-0-0-none", 0, signal);
    const asked = new Set(simulator.requests.list().map(({ verb, resource }) => `${verb} ${resource}`));
    const allowed = permissions.flatMap(({ resource, verbs }) => verbs.map((verb) => `${verb} ${resource}`));
    // Newer servers ask for it.
    expect(allowed.filter((one) => !asked.has(one))).toEqual(["create pods/exec"]);
  });

  it("is told where it is missing", async () => {
    const noPods = await driverWithout(({ resource }) => resource === "pods");
    await expect(noPods.start(podSpec({ containers: [main] }), () => {}, signal)).rejects.toMatchObject({
      reason: "setup",
      message: expect.stringContaining('cannot create resource "pods"'),
    });
    const noExec = await driverWithout(({ resource }) => resource === "pods/exec");
    const pod = await noExec.start(podSpec({ containers: [main] }), () => {}, signal);
    await expect(pod.startStep(stepSpec(0, "true"), signal)).rejects.toMatchObject({
      reason: "setup",
      message: expect.stringContaining("pods/exec"),
    });
  });

  it("is less for who names group and architectures", async () => {
    const driver = await driverWithout(({ without }) => without !== undefined);
    expect(await driver.archs()).toEqual(["amd64"]);
    expect(await driver.groupId()).toMatch(/^kubernetes-ostler-[0-9a-f]{12}$/);
    const pod = await runs(driver);
    expect(pod.remarks.join()).toContain("taken for amd64");
  });

  it("asks for no more than one cluster-wide permission, and never to read secrets", () => {
    const clusterWide = permissions.filter(({ scope }) => scope === "cluster");
    expect(clusterWide.map(({ resource }) => resource)).toEqual(["nodes"]);
    const secrets = permissions.filter(({ resource }) => resource === "secrets").flatMap(({ verbs }) => verbs);
    expect(secrets).toEqual(["create"]);
  });
});
