import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Driver, PodHandle, PodSpec, StepSpec } from "../../src/executors/driver.ts";
import { images } from "../support/docker-images.ts";
import { until } from "../support/until.ts";
import { fileContract } from "./file-contract.ts";

/** What a driver under test does for the suite besides being a driver. */
export interface DriverUnderTest {
  readonly driver: Driver;
  /** A driver as another process would make it for the same pods. */
  readonly successor: () => Driver;
  readonly close: () => Promise<void>;
}

/** The steps of the suite: what a driver must make of each is said by its name. */
export const steps = {
  /** Prints `one` and `two`, ends with 0. */
  succeeds: "echo one; echo two",
  /** Prints `no`, ends with 3. */
  fails: "echo no; exit 3",
  /** Prints `up`, and goes on until it is stopped. */
  hangs: "echo up; while :; do sleep 1; done",
} as const;

const signal = new AbortController().signal;
let serial = 0;

export function podSpec(changes: Partial<PodSpec> = {}): PodSpec {
  serial += 1;
  return {
    id: `01m856e13m00002p7my5c07hdh-0-${serial}-s${process.pid}`,
    owner: {
      installation: "i1",
      executor: "e1",
      incarnation: "inc1",
      group: "g",
      runId: "01m856e13m00002p7my5c07hdh",
      task: "build",
      attempt: serial,
    },
    arch: undefined,
    containers: [{ image: images.busybox, environment: {}, privileged: false, tmpfs: [] }],
    registries: {},
    deadlineAt: Date.now() + 3_600_000,
    startBy: Date.now() + 60_000,
    fenceMs: 600_000,
    ...changes,
  };
}

export function stepSpec(index: number, command: string): StepSpec {
  return { index, command, shell: ["/bin/sh", "-e"], workingDir: "~", environment: {} };
}

async function read(pod: PodHandle, index: number, offset = 0): Promise<string> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of pod.followOutput(index, offset, signal)) chunks.push(chunk);
  return Buffer.concat(chunks).toString();
}

export interface DriverTraits {
  readonly name: string;
  /** False for pods that are objects of the process that started them. */
  readonly survivesItsProcess: boolean;
}

/** What every driver must hold, whatever its platform. */
export function driverContract({ name, survivesItsProcess }: DriverTraits, create: () => Promise<DriverUnderTest>): void {
  describe(`driver contract: ${name}`, () => {
    let under: DriverUnderTest;
    beforeAll(async () => {
      under = await create();
    });
    afterAll(() => under.close());
    const start = (changes: Partial<PodSpec> = {}) => under.driver.start(podSpec(changes), () => {}, signal);
    const listed = async (id: string) => (await under.driver.list("i1", signal)).find((pod) => pod.id === id);

    it("tells the exit code and the times of a step", async () => {
      const pod = await start();
      const before = Date.now();
      await pod.startStep(stepSpec(0, steps.fails), signal);
      const end = await pod.waitStep(0, signal);
      expect(end).toMatchObject({ type: "exited", exitCode: 3 });
      if (end.type !== "exited") return;
      expect(end.startedAt).toBeGreaterThanOrEqual(before - 50);
      expect(end.finishedAt).toBeGreaterThanOrEqual(end.startedAt);
      expect(end.finishedAt).toBeLessThanOrEqual(Date.now() + 50);
    });

    it("follows the output from any offset to the end", async () => {
      const pod = await start();
      await pod.startStep(stepSpec(0, steps.succeeds), signal);
      expect(await read(pod, 0)).toBe("one\ntwo\n");
      expect(await read(pod, 0, 4)).toBe("two\n");
      expect(await read(pod, 0, 8)).toBe("");
    });

    it("starts a step once, however often it is told to", async () => {
      const pod = await start();
      await pod.startStep(stepSpec(0, steps.succeeds), signal);
      await pod.startStep(stepSpec(0, steps.succeeds), signal);
      await pod.waitStep(0, signal);
      await pod.startStep(stepSpec(0, steps.succeeds), signal);
      await pod.waitStep(0, signal);
      expect(await read(pod, 0)).toBe("one\ntwo\n");
    });

    it("starts a pod once, however often it is told to", async () => {
      const spec = podSpec();
      const first = await under.driver.start(spec, () => {}, signal);
      await first.startStep(stepSpec(0, steps.succeeds), signal);
      const second = await under.driver.start(spec, () => {}, signal);
      expect(second.createdAt).toBe(first.createdAt);
      expect((await second.startedSteps(signal)).map((step) => step.index)).toEqual([0]);
    });

    it("stops a step that would go on for ever", async () => {
      const pod = await start();
      await pod.startStep(stepSpec(0, steps.hangs), signal);
      await until("the step prints", async () => {
        const abort = AbortSignal.timeout(200);
        try {
          for await (const chunk of pod.followOutput(0, 0, abort)) if (chunk.length > 0) return true;
        } catch {
          // It is not there yet.
        }
        return false;
      });
      await pod.stopStep(0, 5_000, signal);
      expect(await pod.waitStep(0, signal)).toMatchObject({ type: "exited", exitCode: 143 });
    });

    it("stops a step that has only just been started", async () => {
      for (let round = 0; round < 10; round++) {
        const pod = await start();
        await pod.startStep(stepSpec(0, steps.hangs), signal);
        await pod.stopStep(0, 5_000, signal);
        expect(await pod.waitStep(0, signal)).toMatchObject({ type: "exited" });
      }
    });

    it("lists the pods of an installation with their owners, and not those of another", async () => {
      const pod = await start();
      const other = await start({ owner: { ...podSpec().owner, installation: "i2" } });
      expect((await listed(pod.id))?.owner).toMatchObject({ executor: "e1", incarnation: "inc1", task: "build" });
      expect(await listed(other.id)).toBeUndefined();
      expect((await under.driver.list("i2", signal)).map((entry) => entry.id)).toEqual([other.id]);
    });

    it("removes a pod with all that runs in it, and twice is no fault", async () => {
      const pod = await start();
      await pod.startStep(stepSpec(0, steps.hangs), signal);
      await under.driver.remove(pod.id, 0, signal);
      await under.driver.remove(pod.id, 0, signal);
      expect(await listed(pod.id)).toBeUndefined();
      expect(await under.driver.attach(pod.id, signal)).toBeUndefined();
      expect(await pod.waitStep(0, signal)).toMatchObject({ type: "gone" });
    });

    it("rejects a wait whose caller has given up", async () => {
      const pod = await start();
      await pod.startStep(stepSpec(0, steps.hangs), signal);
      const abort = new AbortController();
      const waiting = pod.waitStep(0, abort.signal);
      abort.abort(new Error("given up"));
      await expect(waiting).rejects.toThrow();
      await under.driver.remove(pod.id, 0, signal);
    });

    it("keeps the architectures and the group stable", async () => {
      expect(await under.driver.archs()).not.toEqual([]);
      expect(await under.driver.groupId()).toBe(await under.driver.groupId());
    });

    if (!survivesItsProcess) return;

    fileContract(() => start());

    it("starts a step once when two processes start it at the same time", async () => {
      for (let round = 0; round < 5; round++) {
        const pod = await start();
        const attached = await under.successor().attach(pod.id, signal);
        await Promise.all([pod, attached].map((handle) => handle?.startStep(stepSpec(0, steps.succeeds), signal)));
        expect(await pod.waitStep(0, signal)).toMatchObject({ type: "exited", exitCode: 0 });
        expect(await attached?.waitStep(0, signal)).toMatchObject({ type: "exited", exitCode: 0 });
        expect(await read(pod, 0)).toBe("one\ntwo\n");
      }
    });

    it("lets a successor attach to a running step, and lose nothing of it", async () => {
      const pod = await start();
      await pod.startStep(stepSpec(0, "echo early; while [ ! -e go ]; do sleep 0.05; done; echo late; exit 5"), signal);
      const attached = await under.successor().attach(pod.id, signal);
      if (!attached) throw new Error("there is no pod to attach to");
      expect((await attached.startedSteps(signal)).map((step) => step.index)).toEqual([0]);
      await attached.startStep(stepSpec(1, "touch go"), signal);
      expect(await attached.waitStep(0, signal)).toMatchObject({ type: "exited", exitCode: 5 });
      expect(await read(attached, 0)).toBe("early\nlate\n");
    });
  });
}
