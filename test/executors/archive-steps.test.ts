import { Readable } from "node:stream";
import { zstdCompressSync } from "node:zlib";
import { packTar, type TarHeader } from "modern-tar";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { layout } from "../../src/ost/layout.ts";
import { createWorld, readLogText, type World } from "./harness.ts";

type Raw = Readonly<Record<string, unknown>>;

describe("steps that move files", () => {
  let world: World;
  let serial = 0;
  beforeAll(async () => {
    world = await createWorld({ OSTLER_HEARTBEAT_TTL: "10s" });
    await world.start();
  });
  afterAll(() => world.close());

  const createRun = (tasks: Readonly<Record<string, Raw>>, run: Raw = {}) =>
    world.createRun({ ...run, tasks: Object.fromEntries(Object.entries(tasks).map(([name, task]) => [name, { image: "x", ...task }])) });
  const perform = async (run: Awaited<ReturnType<typeof createRun>>, task: string) => {
    await world.assign(run.assignment(task));
    const outcome = await world.outcome(run.assignment(task));
    const steps = outcome.steps ?? [];
    const logs = await Promise.all(
      steps.map((_, step) => readLogText(world.store, { runId: run.runId, task, attempt: 1, step: String(step) })),
    );
    return { outcome, logs };
  };
  /** A root group of its own, so that no test sees another's caches. */
  const freshGroup = () => {
    serial += 1;
    return { group: `/test/caches-${serial}/main` };
  };

  it("hand a workspace on with its links, modes and empty folders", async () => {
    const make =
      "mkdir -p out/deep/empty; echo hi > out/deep/file; chmod 751 out/deep/file; ln -s file out/deep/link; ln out/deep/file out/hard; chmod 500 out/deep/empty";
    const run = await createRun({
      build: { steps: [{ run: make }, { type: "save_to_workspace", contents: [{ sourceDir: "out" }] }] },
      test: {
        depends: ["build"],
        steps: [
          { type: "restore_workspace" },
          {
            run: "stat -c '%n %a %F %h' out/deep/file out/deep/link out/deep/empty; readlink out/deep/link; [ out/hard -ef out/deep/file ] && echo same",
          },
        ],
      },
    });
    await run.succeeded({ build: (await perform(run, "build")).outcome });
    const { outcome, logs } = await perform(run, "test");
    expect(outcome.phase).toBe("success");
    expect(logs[1]).toBe(
      "out/deep/file 751 regular file 2\nout/deep/link 777 symbolic link 1\nout/deep/empty 500 directory 2\nfile\nsame\n",
    );
  });

  it("save what the globs say, where destDir says", async () => {
    const run = await createRun({
      build: {
        steps: [
          { run: "mkdir -p src/a; touch src/a/x.js src/a/y.ts src/.hidden src/z.js" },
          { type: "save_to_workspace", contents: [{ sourceDir: "src", destDir: "lib", paths: ["**/*.js", ".hidden", "!z.js"] }] },
        ],
      },
      test: { depends: ["build"], steps: [{ type: "restore_workspace", destDir: "in" }, { run: "find . -type f | sort" }] },
    });
    await run.succeeded({ build: (await perform(run, "build")).outcome });
    expect((await perform(run, "test")).logs[1]).toBe("./in/lib/.hidden\n./in/lib/a/x.js\n");
  });

  it("save all of a folder that is named, but what is taken out", async () => {
    const run = await createRun({
      build: {
        steps: [
          { run: "mkdir -p out/a out/tmp/deep; touch out/a/x out/tmp/deep/y" },
          { type: "save_to_workspace", contents: [{ paths: ["./out/", "!out/tmp"] }] },
        ],
      },
      test: { depends: ["build"], steps: [{ type: "restore_workspace" }, { run: "find . -type f" }] },
    });
    await run.succeeded({ build: (await perform(run, "build")).outcome });
    expect((await perform(run, "test")).logs[1]).toBe("./out/a/x\n");
  });

  it("hand outputs on to descendants", async () => {
    const run = await createRun({
      "build it": { steps: [{ run: 'echo version=1.2 > "$OSTLER_OUTPUT"' }] },
      middle: { depends: ["build it"], steps: [] },
      test: { depends: ["middle"], steps: [{ run: 'echo "$OSTLER_OUTPUT_BUILD_IT_VERSION"' }] },
    });
    await run.succeeded({ "build it": (await perform(run, "build it")).outcome, middle: (await perform(run, "middle")).outcome });
    expect((await perform(run, "test")).logs[0]).toBe("1.2\n");
  });

  it("save an artifact under its name", async () => {
    const run = await createRun({
      build: { steps: [{ run: "mkdir report; echo ok > report/index" }, { type: "save_artifact", name: "report", paths: ["report/**"] }] },
    });
    expect((await perform(run, "build")).outcome.phase).toBe("success");
    expect(await world.store.stat(layout.artifact({ runId: run.runId, task: "build", attempt: 1 }, "report"))).toBeDefined();
  });

  it("restore a cache to where it came from, home included", async () => {
    const group = freshGroup();
    const key = 'npm-{{ arch }}-{{ sha256sum "lock" }}';
    const save = await createRun(
      {
        build: {
          workingDir: "~/project",
          steps: [
            { run: "echo 1 > lock; mkdir -p ~/.npm; echo cached > ~/.npm/file" },
            { type: "save_cache", key, contents: [{ sourceDir: "~/.npm" }] },
          ],
        },
      },
      group,
    );
    expect((await perform(save, "build")).outcome.phase).toBe("success");
    const restore = await createRun(
      {
        build: {
          workingDir: "~/project",
          steps: [{ run: "echo 1 > lock" }, { type: "restore_cache", keys: [key] }, { run: "cat ~/.npm/file" }],
        },
      },
      group,
    );
    expect((await perform(restore, "build")).logs[2]).toBe("cached\n");
  });

  it("restore the newest cache with a prefix, the exact one first, and take a miss for a success", async () => {
    const group = freshGroup();
    const save = (name: string) =>
      createRun(
        { build: { steps: [{ run: `echo ${name} > file` }, { type: "save_cache", key: name, contents: [{ paths: ["file"] }] }] } },
        group,
      );
    for (const name of ["v1-b", "v1-a", "v2"]) await perform(await save(name), "build");
    const restore = async (...keys: string[]) => {
      const run = await createRun({ build: { steps: [{ type: "restore_cache", keys }, { run: "cat file || echo none" }] } }, group);
      return (await perform(run, "build")).logs[1]?.split("\n").at(-2);
    };
    expect(await restore("v1-b")).toBe("v1-b");
    expect(await restore("v1-")).toBe("v1-a");
    expect(await restore("v3", "v2")).toBe("v2");
    expect(await restore("v9")).toBe("none");
  });

  it("never change a cache, nor see those of another root group or namespace", async () => {
    const group = freshGroup();
    const save = (value: string, run: Raw) =>
      createRun(
        { build: { steps: [{ run: `echo ${value} > file` }, { type: "save_cache", key: "k", contents: [{ paths: ["file"] }] }] } },
        run,
      );
    const restore = async (run: Raw) => {
      const created = await createRun(
        { build: { steps: [{ type: "restore_cache", keys: ["k"] }, { run: "cat file || echo none" }] } },
        run,
      );
      return (await perform(created, "build")).logs[1]?.split("\n").at(-2);
    };
    await perform(await save("first", group), "build");
    await perform(await save("second", group), "build");
    expect(await restore(group)).toBe("first");
    expect(await restore({ ...group, cacheGroup: "other" })).toBe("none");
    expect(await restore(freshGroup())).toBe("none");
  });

  it("tell long cache names apart that begin alike", async () => {
    const group = freshGroup();
    const long = "x".repeat(120);
    const save = await createRun(
      { build: { steps: [{ run: "echo one > file" }, { type: "save_cache", key: `${long}-one`, contents: [{ paths: ["file"] }] }] } },
      group,
    );
    await perform(save, "build");
    const restore = async (key: string) => {
      const run = await createRun({ build: { steps: [{ type: "restore_cache", keys: [key] }, { run: "cat file || echo none" }] } }, group);
      return (await perform(run, "build")).logs[1]?.split("\n").at(-2);
    };
    expect(await restore(`${long}-o`)).toBe("one");
    expect(await restore(`${long}-two`)).toBe("none");
  });

  it("fail on a cache key that needs a file which is not there", async () => {
    const run = await createRun({ build: { steps: [{ type: "restore_cache", keys: ['{{ sha256sum "nope" }}'] }] } });
    expect((await perform(run, "build")).outcome).toMatchObject({
      phase: "failed",
      reason: "config",
      message: expect.stringContaining("nope"),
    });
  });

  it("unpack the run's source before what ancestors saved", async () => {
    await putSource("src1", [
      { header: { name: "a", size: 4 }, body: "src\n" },
      { header: { name: "b", size: 4 }, body: "src\n" },
    ]);
    const run = await createRun(
      {
        build: { steps: [{ run: "echo saved > a" }, { type: "save_to_workspace", contents: [{ paths: ["a"] }] }] },
        test: { depends: ["build"], steps: [{ type: "restore_workspace" }, { run: "cat a b" }] },
      },
      { source: "src1" },
    );
    await run.succeeded({ build: (await perform(run, "build")).outcome });
    expect((await perform(run, "test")).logs[1]).toBe("saved\nsrc\n");
  });

  it.each([
    ["a path above it", [{ name: "../evil", size: 0 }]],
    ["an absolute path", [{ name: "/tmp/ostler-evil", size: 0 }]],
    [
      "a link that leads out of it",
      [
        { name: "out", size: 0, type: "symlink", linkname: "/tmp" },
        { name: "out/ostler-evil", size: 0 },
      ],
    ],
    [
      "a folder that is a link",
      [
        { name: "out", size: 0, type: "symlink", linkname: "/tmp" },
        { name: "out/", size: 0, type: "directory", mode: 0o777 },
      ],
    ],
    ["a hard link to a file outside", [{ name: "out", size: 0, type: "link", linkname: "../../../etc/passwd" }]],
    ["a device", [{ name: "dev", size: 0, type: "character-device" }]],
  ] as const)("refuse an archive that would leave its destination by %s", async (_, headers) => {
    serial += 1;
    const source = `evil-${serial}`;
    await putSource(
      source,
      headers.map((header: TarHeader) => ({ header })),
    );
    const run = await createRun({ build: { steps: [{ type: "restore_workspace" }] } }, { source });
    expect((await perform(run, "build")).outcome).toMatchObject({
      phase: "failed",
      reason: "config",
      message: expect.stringMatching(/leave its destination|not unpacked/),
    });
  });

  const putSource = async (id: string, entries: Parameters<typeof packTar>[0]) => {
    await world.store.put(layout.source(id), Readable.from([zstdCompressSync(await packTar(entries))]));
  };
});
