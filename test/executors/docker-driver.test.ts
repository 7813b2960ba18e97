import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createDockerDriver } from "../../src/executors/docker/docker-driver.ts";
import type { Driver, PodContainer, PodHandle, PodSpec } from "../../src/executors/driver.ts";
import { images } from "../support/docker-images.ts";
import { buffersUsed } from "../support/heap.ts";
import { describeWithDocker, sharedDocker } from "../support/shared-docker.ts";
import { until } from "../support/until.ts";
import { startCuttingProxy } from "./cutting-proxy.ts";
import { driverContract, podSpec, stepSpec } from "./driver-contract.ts";

const signal = new AbortController().signal;
const mebibyte = 1024 * 1024;

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

const container = (changes: Partial<PodContainer> = {}): PodContainer => ({
  image: images.busybox,
  environment: {},
  privileged: false,
  tmpfs: [],
  ...changes,
});

describeWithDocker("docker", () => {
  driverContract({ name: "docker", survivesItsProcess: true }, openPods);

  describe("the docker driver", () => {
    let driver: Driver;
    let close: () => Promise<void>;
    beforeAll(async () => {
      ({ driver, close } = await openPods());
    });
    afterAll(() => close());

    const start = (main: Partial<PodContainer> = {}, changes: Partial<PodSpec> = {}) =>
      driver.start(podSpec({ containers: [container(main)], ...changes }), () => {}, signal);
    const run = async (pod: PodHandle, index: number, command: string, changes: Partial<ReturnType<typeof stepSpec>> = {}) => {
      await pod.startStep({ ...stepSpec(index, command), ...changes }, signal);
      let output = "";
      for await (const chunk of pod.followOutput(index, 0, signal)) output += Buffer.from(chunk).toString();
      return { output, end: await pod.waitStep(index, signal) };
    };

    it("runs images without a shell, and as the image's user in its home", async () => {
      const bare = await run(await start({ image: images.bare }), 0, "echo no shell; exit 2");
      expect(bare).toMatchObject({ output: "no shell\n", end: { exitCode: 2 } });
      const nonRoot = await run(await start({ image: images.nonRoot }), 0, "id -u; pwd; touch file; umask");
      expect(nonRoot).toMatchObject({ output: "1000\n/work\n0022\n", end: { exitCode: 0 } });
    });

    it("runs steps as the user that the container or the step names, and blames the task for one that there is not", async () => {
      const pod = await start({ user: "1000" });
      expect((await run(pod, 0, "id -u", { workingDir: "/tmp" })).output).toBe("1000\n");
      expect((await run(pod, 1, "id -u", { user: "0" })).output).toBe("0\n");
      await expect(pod.startStep({ ...stepSpec(2, "true"), user: "nobody-knows" }, signal)).rejects.toMatchObject({ reason: "config" });
    });

    it("hands over the environment unchanged, and shows it in no file and on no command line", async () => {
      const pod = await start();
      const VALUE = `it's "two"\nlines $(date) \\`;
      expect((await run(pod, 0, 'printf %s "$VALUE"', { environment: { VALUE } })).output).toBe(VALUE);
      const find = `what=$(echo cGxhbnRlZC03ZjNh | base64 -d); find /ostler/pod -type f -exec grep -l "$what" {} + || :
cat /proc/[0-9]*/cmdline >/tmp/lines; grep -c "$what" /tmp/lines || :`;
      expect((await run(pod, 1, find, { environment: { TOKEN: "planted-7f3a" } })).output).toBe("0\n");
    });

    it("blames the task for a shell or a working directory that cannot be had", async () => {
      const pod = await start();
      await expect(pod.startStep({ ...stepSpec(0, "true"), shell: ["/bin/zsh"] }, signal)).rejects.toThrow("no shell /bin/zsh");
      await expect(pod.startStep({ ...stepSpec(0, "true"), workingDir: "/proc/no" }, signal)).rejects.toMatchObject({ reason: "config" });
    });

    it("gives up at once on images that will never be there", async () => {
      for (const image of ["UPPER/not valid", "../containers/json", "127.0.0.1:1/x@sha256:12"]) {
        await expect(start({ image })).rejects.toMatchObject({ reason: "image_permanent" });
      }
    });

    it("takes a registry that does not answer for passing", async () => {
      await expect(start({ image: "127.0.0.1:1/some/image:1" })).rejects.toMatchObject({ reason: "image" });
    });

    it("refuses an image that is made for another architecture", async () => {
      await expect(start({}, { arch: "arm64" })).rejects.toMatchObject({
        reason: "image_permanent",
        message: expect.stringMatching(/amd64.*arm64/),
      });
    });

    it("refuses privileged containers where they are not allowed, and more memory than the host has", async () => {
      await expect(start({ privileged: true })).rejects.toMatchObject({ reason: "config" });
      await expect(start({ memoryBytes: 2 ** 50 })).rejects.toMatchObject({ reason: "config" });
    });

    it("says that memory ran out", async () => {
      const pod = await start({ memoryBytes: 24 * mebibyte });
      const { end, output } = await run(pod, 0, "echo begins; head -c 100000000 /dev/zero | tail -c 90000000 >/dev/null; exit 9");
      expect(output).toContain("begins\n");
      expect(end).toMatchObject({ type: "gone", reason: "oom" });
    });

    it("keeps to cpu and memory limits, and makes file systems in memory", async () => {
      const pod = await start({ memoryBytes: 64 * mebibyte, cpuMillis: 500, tmpfs: [{ path: "/scratch", sizeBytes: mebibyte }] });
      const { output } = await run(
        pod,
        0,
        "df -k /scratch | tail -n 1 | awk '{print $1, $2}'; cat /sys/fs/cgroup/memory/memory.limit_in_bytes /sys/fs/cgroup/memory.max 2>/dev/null",
      );
      expect(output).toBe(`tmpfs 1024\n${64 * mebibyte}\n`);
    });

    it("ends what ignores SIGTERM once the grace is over, and daemons with it", async () => {
      const pod = await start();
      await pod.startStep(stepSpec(0, "setsid sleep 1000 & trap '' TERM; echo up; while :; do sleep 0.1; done"), signal);
      for await (const _ of pod.followOutput(0, 0, signal)) break;
      await pod.stopStep(0, 300, signal);
      expect(await pod.waitStep(0, signal)).toMatchObject({ type: "exited", exitCode: 137 });
      expect((await run(pod, 1, "ps | grep -c '[s]leep 1000' || :")).output).toBe("0\n");
    });

    it("does not count what daemons print after a step's end as its output", async () => {
      const pod = await start();
      const { output } = await run(pod, 0, "(while :; do echo noise; sleep 0.01; done) & echo done");
      let again = "";
      for await (const chunk of pod.followOutput(0, 0, signal)) again += Buffer.from(chunk).toString();
      expect(again).toBe(output);
    });

    it("starts services beside the main container, waits until they are ready, and reads their logs from any byte", async () => {
      const lines: string[] = [];
      const service = container({
        entrypoint: ["/bin/sh", "-c", "echo hello; sleep 1; exec httpd -f -p 8080 -h /www"],
        image: images.server,
        readiness: { command: ["wget", "-qO-", "http://127.0.0.1:8080/"], intervalMs: 100, timeoutMs: 20_000 },
      });
      const pod = await driver.start(podSpec({ containers: [container(), service] }), (line) => lines.push(line), signal);
      expect((await run(pod, 0, "wget -qO- http://127.0.0.1:8080/")).output).toBe("served\n");
      expect(lines.join()).toContain("waiting for service 1");
      for await (const chunk of pod.followService(1, 2, signal)) {
        expect(Buffer.from(chunk).toString()).toBe("llo\n");
        break;
      }
      await driver.remove(pod.id, 0, signal);
    });

    it("tells which service ended before it was ready", async () => {
      const readiness = { command: ["false"], intervalMs: 50, timeoutMs: 20_000 };
      const spec = podSpec({ containers: [container(), container({ entrypoint: ["/bin/sh", "-c", "exit 3"], readiness })] });
      await expect(driver.start(spec, () => {}, signal)).rejects.toThrow("service 1 (ostler-test/busybox:1) ended with exit code 3");
      await driver.remove(spec.id, 0, signal);
      expect((await driver.list("i1", signal)).map((pod) => pod.id)).not.toContain(spec.id);
    });

    it("starts no step in a pod whose time to start has passed, unless it is touched", async () => {
      const pod = await start({}, { startBy: Date.now() - 2_000 });
      expect((await run(pod, 0, "echo ran")).end).toMatchObject({ type: "gone", reason: "executor_lost" });
      await pod.touch(Date.now(), signal);
      expect((await run(pod, 1, "echo ran")).output).toBe("ran\n");
    });

    it("ends by itself when nobody touches it, and at its deadline", async () => {
      const fenced = await start({}, { fenceMs: 2_000 });
      const late = await start({}, { deadlineAt: Date.now() + 3_000 });
      const both = await Promise.all([fenced, late].map((pod) => run(pod, 0, "echo up; while :; do sleep 1; done")));
      expect(both).toMatchObject([
        { output: "up\n", end: { type: "gone", reason: "executor_lost" } },
        { output: "up\n", end: { type: "gone", reason: "timeout" } },
      ]);
      await until("their containers are over", async () => {
        const ends = await Promise.all(
          [fenced, late].map((pod) =>
            pod.startedSteps(signal).then(
              () => false,
              () => true,
            ),
          ),
        );
        return ends.every(Boolean);
      });
    });

    it("loses nothing when the connection of an exec is cut at any byte", async () => {
      const { socketPath } = await sharedDocker();
      const proxy = await startCuttingProxy(socketPath);
      const cut = createDockerDriver({ host: `unix://${proxy.socketPath}`, helperImage: images.busybox, allowPrivileged: false });
      const spec = podSpec();
      const pod = await cut.start(spec, () => {}, signal);
      const numbers = Array.from({ length: 2_000 }, (_, line) => `${line + 1}\n`).join("");
      for (const [index, bytes] of [0, 1, 100, 130, 200, 215, 220, 235, 250, 300, 1_000, 5_000].entries()) {
        proxy.cutNext(3, bytes);
        const { output, end } = await run(pod, index, "seq 2000; exit 6");
        expect(output, `cut after ${bytes} bytes`).toBe(numbers);
        expect(end).toMatchObject({ type: "exited", exitCode: 6 });
      }
      await driver.remove(spec.id, 0, signal);
      await cut.close();
      proxy.close();
    });

    it("follows a log of 300 MB whole, in memory that does not grow with it", async () => {
      const pod = await start();
      await pod.startStep(stepSpec(0, "head -c 300000000 /dev/zero"), signal);
      let bytes = 0;
      let most = 0;
      let lookAt = 0;
      for await (const chunk of pod.followOutput(0, 0, signal)) {
        bytes += chunk.length;
        if (bytes < lookAt) continue;
        lookAt += 32 * mebibyte;
        most = Math.max(most, buffersUsed());
      }
      expect(bytes).toBe(300_000_000);
      expect(most).toBeLessThan(32 * mebibyte);
    });
  });
});
