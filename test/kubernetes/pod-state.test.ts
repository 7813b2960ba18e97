import { describe, expect, it } from "vitest";
import { stateOf } from "../../src/executors/kubernetes/pod-state.ts";
import { goldenPods } from "./golden-pods.ts";

/** The states of a recorded pod, each named once in a row, until it is removed. */
function statesOf(scenario: string, pod?: string): readonly string[] {
  const events = goldenPods(scenario).filter((event) => pod === undefined || event.pod.metadata.name === pod);
  const states = events.filter(({ type }) => type !== "DELETED").map((event) => stateOf(event.pod));
  const words = states.map((state) => {
    if (state.type === "starting") return state.doubt ? `doubt:${state.doubt.reason}` : "starting";
    return state.type === "running" ? "running" : `${state.type}:${state.fault.reason}`;
  });
  return words.filter((word, index) => word !== words[index - 1]);
}

function messageOf(scenario: string): string {
  for (const { pod } of goldenPods(scenario)) {
    const state = stateOf(pod);
    if (state.type === "over") return state.fault.message;
  }
  return "";
}

function waitsOf(scenario: string): readonly (string | undefined)[] {
  const states = goldenPods(scenario).map(({ pod }) => stateOf(pod));
  return states.flatMap((state) => (state.type === "starting" ? state.waitsFor : []));
}

describe("what a pod's object says of it", () => {
  it("tells a container that was killed for its memory from one that failed", () => {
    expect(statesOf("watch-oom")).toEqual(["starting", "running", "over:oom"]);
    expect(statesOf("watch-oom-child")).toEqual(["starting", "running", "over:oom"]);
  });

  it("takes a passed deadline for a time-out, an eviction for an eviction, only once the pod says so", () => {
    expect(statesOf("watch-active-deadline").at(-1)).toBe("over:timeout");
    expect(statesOf("watch-emptydir-disk-exceeded").at(-1)).toBe("over:evicted");
    expect(statesOf("watch-ephemeral-storage-exceeded").at(-1)).toBe("over:evicted");
    expect(messageOf("watch-emptydir-disk-exceeded")).toContain('Usage of EmptyDir volume "m" exceeds the limit "8Mi"');
  });

  it("takes an eviction by the API for an eviction only when the pod has ended", () => {
    expect(statesOf("watch-eviction-api")).toEqual(["starting", "running", "over:evicted"]);
  });

  it("doubts an image whose registry cannot be reached, and gives up one whose name is wrong", () => {
    const states = statesOf("watch-image-pull-fails");
    expect(states.slice(0, 2)).toEqual(["starting", "doubt:image"]);
    expect(states).not.toContain("over:image_permanent");
    expect(statesOf("watch-invalid-image-name").slice(0, 2)).toEqual(["starting", "over:image_permanent"]);
    expect(statesOf("watch-image-never-pull").slice(0, 2)).toEqual(["starting", "over:image_permanent"]);
  });

  it("says what the scheduler says while no node fits", () => {
    expect(waitsOf("watch-unschedulable-memory").join()).toContain("a node: 0/1 nodes are available: 1 Insufficient memory");
    expect(waitsOf("watch-unschedulable-arch").join()).toContain("didn't match Pod's node affinity/selector");
    expect(statesOf("watch-unschedulable-memory")).toEqual(["starting"]);
  });

  it("gives up a container that the node agent will not configure, but waits for a secret that is late", () => {
    expect(statesOf("watch-run-as-non-root").slice(0, 2)).toEqual(["starting", "over:config"]);
    expect(statesOf("watch-missing-secret-env").slice(0, 2)).toEqual(["starting", "doubt:setup"]);
  });

  it("takes a failed init container, and a command that is missing, for a failed setup", () => {
    expect(statesOf("watch-init-fails").at(-1)).toBe("over:setup");
    expect(messageOf("watch-init-fails")).toContain("exit code 3");
    expect(statesOf("watch-command-not-found")).toEqual(["starting", "ending:setup", "over:setup"]);
  });

  it("runs once the main container runs, whatever its sidecars do later", () => {
    expect(statesOf("watch-sidecar-startup-probe").slice(0, 2)).toEqual(["starting", "running"]);
    expect(statesOf("watch-sidecar-crashes").slice(0, 2)).toEqual(["starting", "running"]);
    expect(statesOf("watch-second-container-outlives").slice(0, 2)).toEqual(["starting", "running"]);
  });

  it("says that a service is waited for", () => {
    expect(waitsOf("watch-sidecar-startup-probe")).toContain("side to be ready");
  });

  it("never takes a node that does not answer for the end of its pods", () => {
    const alone = statesOf("node-notready", "go");
    expect(alone).toEqual(["running"]);
    // The agent came back and carried out a removal that had waited for it.
    expect(statesOf("node-notready", "stay")).toEqual(["running", "over:pod_lost"]);
  });

  it("takes a pod that was removed by force for running until its object is gone", () => {
    expect(statesOf("watch-delete-force").slice(0, 2)).toEqual(["starting", "running"]);
  });
});
