import { describe, expect, it } from "vitest";
import type { PodContainer, PodSpec } from "../../src/executors/driver.ts";
import { ObservedPod } from "../../src/executors/kubernetes/observed-pod.ts";
import { labelsOf, recordOf, selectExecutor } from "../../src/executors/kubernetes/pod-labels.ts";
import { podManifest } from "../../src/executors/kubernetes/pod-manifest.ts";
import { podSecret } from "../../src/executors/kubernetes/pod-secret.ts";
import { podSpec } from "../executors/driver-contract.ts";

const facts = { helperImage: "helper:1", helperOrder: "before" as const, nativeSidecars: true, now: 1_000_000 };
const main: PodContainer = { image: "node:24", environment: { MAIN: "planted-main" }, privileged: false, tmpfs: [] };
const service: PodContainer = { image: "reg.example.com/db:1", environment: { PASSWORD: "planted-service" }, privileged: false, tmpfs: [] };
const registries = {
  "reg.example.com": { username: "u", password: "planted-login" },
  "docker.io": { username: "h", password: "planted-hub" },
  "other.example.com": { username: "o", password: "planted-other" },
};

function made(changes: Partial<PodSpec> = {}, sidecars = true) {
  return podManifest(podSpec({ deadlineAt: 4_600_000, ...changes }), { ...facts, nativeSidecars: sidecars });
}

describe("the pod of an attempt", () => {
  it("has no token, no restart, no foreign environment, and a deadline of its own", () => {
    expect(made().spec).toMatchObject({
      restartPolicy: "Never",
      automountServiceAccountToken: false,
      enableServiceLinks: false,
      activeDeadlineSeconds: 3_600,
    });
  });

  it("asks for a node by its architecture only if the task does", () => {
    expect(made().spec?.nodeSelector).toBeUndefined();
    expect(made({ arch: "arm64" }).spec?.nodeSelector).toEqual({ "kubernetes.io/arch": "arm64" });
  });

  it("keeps every dollar that its commands have", () => {
    const containers = [main, { ...service, entrypoint: ["sh", "-c", "echo $$ $(HOME) $X"] }];
    const [, sidecar] = made({ containers }).spec?.initContainers ?? [];
    expect(sidecar?.command).toEqual(["sh", "-c", "echo $$$$ $$(HOME) $$X"]);
  });

  it("runs services as sidecars where the server has them, else as containers", () => {
    const readiness = { command: ["ready"], intervalMs: 1_500, timeoutMs: 60_000 };
    const containers = [main, { ...service, readiness }];
    const native = made({ containers }).spec;
    expect(native?.initContainers?.map(({ name }) => name)).toEqual(["ostler-helper", "service-1"]);
    expect(native?.initContainers?.[1]).toMatchObject({
      restartPolicy: "Always",
      startupProbe: { exec: { command: ["ready"] }, periodSeconds: 2, failureThreshold: 30 },
    });
    const ordinary = made({ containers }, false).spec;
    expect(ordinary?.containers.map(({ name }) => name)).toEqual(["main", "service-1"]);
    expect(ordinary?.containers[1]?.restartPolicy).toBeUndefined();
    expect(ordinary?.containers[1]?.readinessProbe).toMatchObject({ exec: { command: ["ready"] } });
  });

  it("brings the helper by an init container, or by the first container, whose hook others wait for", () => {
    const before = made().spec;
    expect(before?.initContainers?.map(({ name }) => name)).toEqual(["ostler-helper"]);
    const spec = podSpec({ containers: [main, service], registries });
    const beside = podManifest(spec, { ...facts, helperOrder: "beside" }).spec;
    expect(beside?.initContainers?.map(({ name }) => name)).toEqual(["service-1"]);
    expect(beside?.containers.map(({ name }) => name)).toEqual(["ostler-helper", "main"]);
    const [helper] = beside?.containers ?? [];
    expect(helper?.lifecycle?.postStart?.exec?.command?.join(" ")).toContain("cp /bin/busybox");
    expect(helper?.volumeMounts?.map(({ name }) => name)).toContain("ostler-secret");
  });

  it("holds no secret, whatever the task's environment and logins are", () => {
    const spec = podSpec({ containers: [main, service], registries });
    expect(JSON.stringify(podManifest(spec, facts))).not.toContain("planted");
  });

  it("gives its secret the services' environment and the logins of its own registries, and nothing else", () => {
    const spec = podSpec({ containers: [main, service], registries });
    const text = JSON.stringify(podSecret(spec, { name: spec.id, uid: "u1" }, labelsOf(spec.owner)));
    for (const planted of ["planted-service", "planted-login", "planted-hub"]) expect(text).toContain(planted);
    for (const planted of ["planted-main", "planted-other"]) expect(text).not.toContain(planted);
    expect(text).toContain("https://index.docker.io/v1/");
  });

  it("belongs to its pod with its secret, and waits for that before anything is pulled", () => {
    const spec = podSpec({ containers: [main, service], registries });
    const pod = podManifest(spec, facts);
    expect(pod.spec?.imagePullSecrets).toEqual([{ name: spec.id }]);
    expect(pod.spec?.initContainers?.[0]?.volumeMounts?.map(({ name }) => name)).toContain("ostler-secret");
    const secret = podSecret(spec, { name: spec.id, uid: "u1" }, {});
    expect(secret.metadata?.ownerReferences).toEqual([{ apiVersion: "v1", kind: "Pod", name: spec.id, uid: "u1" }]);
    expect(made().spec?.volumes?.map(({ name }) => name)).toEqual(["ostler-bin", "ostler-state"]);
  });

  it("promises memory, limits it alike, and withholds no processor", () => {
    const containers = [{ ...main, cpuMillis: 500, memoryBytes: 2 ** 30 }];
    const [container] = made({ containers }).spec?.containers ?? [];
    expect(container?.resources).toEqual({ requests: { cpu: "500m", memory: "1073741824" }, limits: { memory: "1073741824" } });
  });

  it("has memory for file systems in memory", () => {
    const containers = [{ ...main, tmpfs: [{ path: "/fast", sizeBytes: 1024 }, { path: "/all" }] }];
    const { spec } = made({ containers });
    expect(spec?.volumes?.slice(-2)).toEqual([
      { name: "tmpfs-0-0", emptyDir: { medium: "Memory", sizeLimit: "1024" } },
      { name: "tmpfs-0-1", emptyDir: { medium: "Memory" } },
    ]);
    expect(spec?.containers[0]?.volumeMounts?.slice(-2)).toEqual([
      { name: "tmpfs-0-0", mountPath: "/fast" },
      { name: "tmpfs-0-1", mountPath: "/all" },
    ]);
  });

  it("takes users by number, and says so of others", () => {
    const [container] = made({ containers: [{ ...main, user: "1000:50" }] }).spec?.containers ?? [];
    expect(container?.securityContext).toEqual({ runAsUser: 1000, runAsGroup: 50 });
    expect(() => made({ containers: [{ ...main, user: "node" }] })).toThrow(
      "user node of the main container: Kubernetes takes users by number",
    );
  });

  it("refuses what is no toleration", () => {
    const wishes = { nodeSelector: {}, tolerations: [{ key: "big", operator: "Exists" }] };
    expect(made({ wishes }).spec?.tolerations).toEqual([{ key: "big", operator: "Exists" }]);
    expect(() => made({ wishes: { ...wishes, tolerations: [{ keys: "big" }] } })).toThrow("not a toleration");
  });

  it("can be told by its labels whatever its owner is called, and says in full whose it is", () => {
    const owner = { ...podSpec().owner, executor: `${"long".repeat(20)}/é`, task: "build (all) the things_" };
    const spec = podSpec({ owner });
    const pod = ObservedPod.parse({ ...podManifest(spec, facts), metadata: { ...podManifest(spec, facts).metadata, uid: "u" } });
    for (const value of Object.values(pod.metadata.labels ?? {}))
      expect(value).toMatch(/^[A-Za-z0-9](?:[A-Za-z0-9_.-]{0,61}[A-Za-z0-9])?$/);
    expect(recordOf(pod)?.owner).toEqual(owner);
    expect(selectExecutor(owner)).not.toBe(selectExecutor({ ...owner, executor: `${"long".repeat(20)}/è` }));
  });
});
