import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { parseConfig } from "../../src/config.ts";
import { examine } from "../../src/doctor/examine.ts";
import type { Finding } from "../../src/doctor/finding.ts";
import { driverChecks } from "../../src/executors/doctor.ts";
import { permissions } from "../../src/executors/kubernetes/permissions.ts";
import { newFolder } from "../support/folder.ts";
import type { AccessRule } from "../support/kubernetes/access.ts";
import { pods } from "../support/kubernetes/resource.ts";
import { type Simulator, startSimulator } from "../support/kubernetes/simulator.ts";
import { simulatorProblem } from "../support/kubernetes/simulator-problem.ts";

let simulator: Simulator;

/** What the doctor finds with a kubeconfig, by check. */
async function look(kubeconfig: string, env: Readonly<Record<string, string>> = {}): Promise<ReadonlyMap<string, Finding>> {
  const path = join(newFolder("kubeconfig"), "kubeconfig");
  writeFileSync(path, kubeconfig);
  const config = parseConfig({ env: { OSTLER_EXECUTOR_DRIVER: "kubernetes", OSTLER_KUBERNETES_KUBECONFIG: path, ...env } });
  const findings = await examine(await driverChecks(config), 20_000, new AbortController().signal);
  return new Map(findings.map((finding) => [finding.check, finding]));
}

const rulesOf = (scope: "namespace" | "cluster") =>
  permissions
    .filter((permission) => permission.scope === scope)
    .map(({ resource, verbs }): AccessRule => ({ resources: [resource], verbs }));

/** Everything that is not well, by check. */
function problemsIn(findings: ReadonlyMap<string, Finding>): Readonly<Record<string, string>> {
  return Object.fromEntries(
    [...findings].flatMap(([check, { state, message }]) => (state === "ok" ? [] : [[check, `${state}: ${message}`]])),
  );
}

describe.skipIf(simulatorProblem() !== undefined && process.env["CI"] !== "true")("the doctor of a cluster", () => {
  beforeAll(async () => {
    simulator = await startSimulator({ nodes: [{}] });
  });
  afterAll(() => simulator.close());

  it("finds all well for an account that has the rights of deploy/, and leaves nothing in the cluster", async () => {
    const account = { namespace: "ostler", name: "executor", rules: rulesOf("namespace"), clusterRules: rulesOf("cluster") };
    const findings = await look(simulator.kubeconfigOf(account));
    expect(problemsIn(findings)).toEqual({});
    expect([...findings.keys()]).toEqual([
      "kubernetes.server",
      ...permissions.map(({ resource }) => `kubernetes.permission.${resource}`),
      ...["kubernetes.namespace", "kubernetes.nodes", "kubernetes.pod", "kubernetes.clock"],
    ]);
    expect(simulator.store.list(pods, "ostler")).toEqual([]);
  });

  it("names the verbs that are missing, and what they are for", async () => {
    const rules = rulesOf("namespace").map((rule) => ({
      ...rule,
      verbs: rule.verbs.filter((verb) => verb !== "delete" && verb !== "watch"),
    }));
    const clusterRules = rulesOf("cluster");
    const findings = await look(simulator.kubeconfigOf({ namespace: "ostler", name: "weak", rules, clusterRules }));
    expect(problemsIn(findings)).toEqual({
      "kubernetes.permission.pods": "failed: may not watch, delete pods, which it needs for this: a pod for every attempt",
    });
  });

  it("warns of rights that the driver can do without", async () => {
    const rules = rulesOf("namespace").filter(({ resources }) => !resources.includes("namespaces"));
    const findings = await look(simulator.kubeconfigOf({ namespace: "ostler", name: "frugal", rules }));
    expect(problemsIn(findings)).toEqual({
      "kubernetes.permission.namespaces": expect.stringMatching(/^warning: .*OSTLER_EXECUTOR_GROUP/),
      "kubernetes.permission.nodes": expect.stringMatching(/^warning: .*OSTLER_EXECUTOR_ARCHS/),
    });
  });

  it("fails where the namespace is not there", async () => {
    const findings = await look(simulator.kubeconfig, { OSTLER_KUBERNETES_NAMESPACE: "nowhere" });
    expect(problemsIn(findings)).toMatchObject({
      "kubernetes.namespace": "failed: the cluster has no namespace nowhere",
      "kubernetes.pod": expect.stringMatching(/^failed: a task's pod would be refused: .*nowhere/),
    });
  });

  it("warns of an architecture that is offered, but that no node has", async () => {
    const findings = await look(simulator.kubeconfig, { OSTLER_EXECUTOR_ARCHS: "amd64,arm64" });
    expect(problemsIn(findings)).toEqual({
      "kubernetes.nodes": "warning: 1 node of amd64, but OSTLER_EXECUTOR_ARCHS offers arm64",
    });
  });

  it("fails at every check where the server is away, with what to do", async () => {
    const findings = await look(simulator.kubeconfig.replaceAll(simulator.url, "https://127.0.0.1:1"));
    for (const finding of findings.values()) {
      expect(finding).toMatchObject({ state: "failed", advice: expect.stringContaining("OSTLER_KUBERNETES_KUBECONFIG") });
    }
    expect(findings.size).toBe(5);
  });
});
