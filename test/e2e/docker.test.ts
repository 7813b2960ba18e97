import { type IncomingMessage, request } from "node:http";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { text } from "node:stream/consumers";
import { afterEach, beforeEach, expect, it } from "vitest";
import { z } from "zod";
import { images } from "../support/docker-images.ts";
import { startRedis, type TestRedis } from "../support/redis.ts";
import { describeWithDocker, sharedDocker } from "../support/shared-docker.ts";
import { until } from "../support/until.ts";
import { ostler, type Serving, serve, temporaryFolder } from "./installation.ts";

/** Whole installations whose tasks run in containers of a real Docker daemon. */

const Container = z.object({ Labels: z.record(z.string(), z.string()), State: z.string() });
const Happening = z.object({
  status: z.enum(["start", "die"]),
  timeNano: z.number(),
  Actor: z.object({ Attributes: z.record(z.string(), z.string()) }),
});
type Happening = z.infer<typeof Happening>;
const Run = z.object({
  id: z.string(),
  phase: z.string(),
  result: z.string(),
  tasks: z.record(
    z.string(),
    z.object({ attempts: z.array(z.object({ executorId: z.string().nullable(), reason: z.string().nullable() })) }),
  ),
});
const Executors = z.object({ executors: z.array(z.object({ id: z.string() })) });

let socketPath: string;
let redis: TestRedis;
let folder: Awaited<ReturnType<typeof temporaryFolder>>;
let watched: Awaited<ReturnType<typeof watchContainers>>;
const processes = new Map<string, Serving>();

async function ask(method: string, path: string): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const sent = request({ socketPath, method, path, agent: false }, (answer) => {
      text(answer).then((body) => resolve(body === "" ? undefined : JSON.parse(body)), reject);
    });
    sent.on("error", reject).end();
  });
}

const query = (filters: Readonly<Record<string, readonly string[]>>) => encodeURIComponent(JSON.stringify(filters));

async function containersOf(...labels: readonly string[]) {
  return z.array(Container).parse(await ask("GET", `/containers/json?all=1&filters=${query({ label: labels })}`));
}

/** Hears of every start and end of a pod's main container, from the daemon itself. */
async function watchContainers() {
  const heard: Happening[] = [];
  const filters = query({ type: ["container"], event: ["start", "die"], label: ["ostler.container=main"] });
  const sent = request({ socketPath, path: `/events?filters=${filters}`, agent: false });
  const answer = await new Promise<IncomingMessage>((resolve, reject) => {
    sent.on("error", reject).on("response", resolve).end();
  });
  const listen = async () => {
    for await (const line of createInterface({ input: answer })) heard.push(Happening.parse(JSON.parse(line)));
  };
  // Ended by `close`.
  listen().catch(() => {});
  return { heard, close: () => sent.destroy() };
}

function start(name: string, role: string, env: Readonly<Record<string, string>> = {}): Serving {
  const serving = serve(["--roles", role, "--port", "0"], {
    OSTLER_REDIS_URL: redis.url,
    OSTLER_DATA_DIR: join(folder.path, "data"),
    OSTLER_HEARTBEAT_INTERVAL: "300ms",
    OSTLER_HEARTBEAT_TTL: "1500ms",
    OSTLER_EXECUTOR_DRIVER: "docker",
    OSTLER_DOCKER_HOST: `unix://${socketPath}`,
    OSTLER_HELPER_IMAGE: images.busybox,
    ...env,
  });
  processes.set(name, serving);
  return serving;
}

beforeEach(async () => {
  ({ socketPath } = await sharedDocker());
  folder = await temporaryFolder();
  redis = await startRedis(["--appendonly", "yes", "--appendfsync", "always"]);
  watched = await watchContainers();
});

afterEach(async () => {
  await Promise.all([...processes.values()].map((serving) => serving.stop()));
  processes.clear();
  watched.close();
  await redis.stop();
  await folder.remove();
});

describeWithDocker("an installation on Docker", { timeout: 120_000 }, () => {
  it("runs a dead executor's work again on its sibling, never beside the container that it replaces", async () => {
    start("scheduler", "scheduler");
    const url = await start("api", "api").url();
    start("e1", "executor", { OSTLER_EXECUTOR_ID: "e1", OSTLER_EXECUTOR_DYNAMIC: "true", OSTLER_EXECUTOR_TASK_LIMIT: "2" });
    const get = async (path: string): Promise<unknown> => (await fetch(`${url}/api/v1${path}`)).json();
    const listed = async () => Executors.parse(await get("/executors")).executors.map(({ id }) => id);
    await until("e1 is there", async () => (await listed()).includes("e1"));
    const task = { image: images.busybox, steps: [{ run: "echo begun; sleep 3; echo done" }] };
    const { id } = await submit(url, { one: task, two: task, three: task });
    const begun = async () => (await ostler(url, ["logs", `${id}/one`])).stdout.includes("begun");
    await until("a step runs in two containers of e1", async () => {
      const running = await containersOf(`ostler.run=${id}`, "ostler.executor=e1", "ostler.container=main");
      return running.filter(({ State }) => State === "running").length === 2 && (await begun());
    });

    processes.get("e1")?.kill("SIGKILL");
    start("e2", "executor", { OSTLER_EXECUTOR_ID: "e2", OSTLER_EXECUTOR_TASK_LIMIT: "4" });

    const look = async () => Run.parse(await get(`/runs/${id}`));
    await until("the run has ended", async () => (await look()).phase === "finished", 60_000);
    const run = await look();
    expect(run.result).toBe("success");
    const lost = Object.entries(run.tasks).filter(([, { attempts }]) => attempts.length === 2);
    expect(lost).toHaveLength(2);
    for (const [, { attempts }] of lost) {
      expect(attempts).toMatchObject([
        { executorId: "e1", reason: "executor_lost" },
        { executorId: "e2", reason: null },
      ]);
    }

    expect(overlaps(watched.heard.filter(({ Actor }) => Actor.Attributes["ostler.run"] === id))).toEqual([]);
    expect(await containersOf(`ostler.run=${id}`)).toEqual([]);
    const first = await ostler(url, ["logs", "--attempt", "1", `${id}/one`]);
    expect(first.stdout).toContain("begun");
    expect(first.stdout).not.toContain("done");
    // Dynamic, and a sibling has told that none of its pods is left.
    await until("e1 is forgotten", async () => !(await listed()).includes("e1"));
  });

  it("goes on with a step whose executor was killed and started again, and loses nothing of its log", async () => {
    start("scheduler", "scheduler");
    const url = await start("api", "api").url();
    const executor = { OSTLER_EXECUTOR_ID: "e1", OSTLER_HEARTBEAT_TTL: "20s" };
    start("e1", "executor", executor);
    const command = "for i in 1 2 3 4 5 6 7 8 9 10 11 12; do echo line $i; sleep 0.5; done";
    const { id } = await submit(url, { only: { image: images.busybox, steps: [{ run: command }] } });
    const log = async () => (await ostler(url, ["logs", `${id}/only/0`])).stdout;
    await until("the step prints", async () => (await log()).includes("line 2"));

    processes.get("e1")?.kill("SIGKILL");
    await until("its executor is gone", () => processes.get("e1")?.process.signalCode === "SIGKILL");
    start("e1", "executor", executor);

    const look = async () => Run.parse(await (await fetch(`${url}/api/v1/runs/${id}`)).json());
    await until("the run has ended", async () => (await look()).phase === "finished", 60_000);
    expect((await look()).tasks["only"]?.attempts).toMatchObject([{ executorId: "e1", reason: null }]);
    expect(await log()).toBe(Array.from({ length: 12 }, (_, i) => `line ${i + 1}\n`).join(""));
    expect(watched.heard.filter(({ status, Actor }) => status === "start" && Actor.Attributes["ostler.run"] === id)).toHaveLength(1);
  });

  it("runs the example of the README", async () => {
    await ask("POST", `/images/${encodeURIComponent(images.busybox)}/tag?repo=busybox&tag=latest`);
    const url = await start("all", "api,scheduler,executor", { OSTLER_EXECUTOR_TASK_LIMIT: "4" }).url();
    const { code, stdout, stderr } = await ostler(url, ["run", "examples/hello.yaml", "--watch"]);
    expect(`${stdout}${stderr}`).toContain("package");
    expect(code).toBe(0);
    const logs = await ostler(url, ["logs", "@last/package"]);
    expect(logs.stdout).toContain("hello, ada");
  });
});

async function submit(url: string, tasks: Readonly<Record<string, unknown>>): Promise<z.infer<typeof Run>> {
  const body = JSON.stringify({ name: "fleet", group: "/e2e/docker", tasks });
  const created = await fetch(`${url}/api/v1/runs`, { method: "POST", headers: { "content-type": "application/json" }, body });
  return Run.parse(await created.json());
}

/** Tasks of which two main containers ran at once, by the daemon's own clock. */
function overlaps(heard: readonly Happening[]): readonly string[] {
  const running = new Map<string, number>();
  const found: string[] = [];
  for (const { status, Actor } of [...heard].sort((a, b) => a.timeNano - b.timeNano)) {
    const task = Actor.Attributes["ostler.task"] ?? "";
    const now = (running.get(task) ?? 0) + (status === "start" ? 1 : -1);
    running.set(task, now);
    if (now > 1) found.push(task);
  }
  return found;
}
