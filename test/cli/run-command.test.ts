import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { runView } from "../support/run-views.ts";
import { ostler } from "./command.ts";
import { always, playApi, refusal } from "./played-api.ts";

let folder = "";
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "ostler-run-"));
  await writeFile(join(folder, "ci.yaml"), "name: build\ngroup: /project/web\nenvironment: { A: kept, B: '1' }\ntasks: {}\n");
  await writeFile(join(folder, "broken.yaml"), "name: build\nname: twice\n");
});
afterAll(() => rm(folder, { recursive: true }));

const created = always({ status: 201, json: runView({ phase: "queued" }) });

describe("ostler run", () => {
  it("creates the run that a file describes, with what its flags change, and names it", async () => {
    const server = await playApi({ "POST /runs": created });
    const done = await ostler(["run", join(folder, "ci.yaml"), "--group", "/other/web", "-e", "B=2=3", "--env", "C="], { url: server.url });
    expect(done).toEqual({ code: 0, stdout: "created /project/web#12  01m857b4n100007d1txgwqxmem\n", stderr: "" });
    expect(JSON.parse(server.requests[0]?.body.toString() ?? "")).toEqual({
      name: "build",
      group: "/other/web",
      environment: { A: "kept", B: "2=3", C: "" },
      tasks: {},
    });
  });

  it("reads stdin, as YAML or JSON", async () => {
    const server = await playApi({ "POST /runs": created });
    await ostler(["run", "-"], { url: server.url, stdin: "name: from yaml" });
    await ostler(["run", "-", "-o", "name"], { url: server.url, stdin: ' {"name": "from json"}' });
    expect(server.requests.map(({ body }) => JSON.parse(body.toString()).name)).toEqual(["from yaml", "from json"]);
  });

  it.each([
    ["name", "01m857b4n100007d1txgwqxmem\n"],
    ["json", `${JSON.stringify(runView({ phase: "queued" }), null, 2)}\n`],
  ])("prints nothing but data as %s", async (format, stdout) => {
    const server = await playApi({ "POST /runs": created });
    expect(await ostler(["run", "-", "-o", format], { url: server.url, stdin: "{}" })).toEqual({ code: 0, stdout, stderr: "" });
  });

  it("says what is wrong with a run that cannot work, and exits with 5", async () => {
    const run = runView({ phase: "setuperror", setupErrors: ["tasks.a.depends.b: no such task"] });
    const server = await playApi({ "POST /runs": always({ status: 201, json: run }) });
    const done = await ostler(["run", join(folder, "ci.yaml")], { url: server.url });
    expect(done).toMatchObject({ code: 5, stdout: "created /project/web#12  01m857b4n100007d1txgwqxmem\n" });
    expect(done.stderr).toContain("tasks.a.depends.b: no such task");
  });

  it("names the file that the server refuses", async () => {
    const server = await playApi({ "POST /runs": always(refusal(400, "invalid_definition", "group: is required")) });
    const done = await ostler(["run", join(folder, "ci.yaml")], { url: server.url });
    expect(done).toMatchObject({ code: 1, stdout: "" });
    expect(done.stderr).toContain(`${folder}/ci.yaml was refused: group: is required`);
  });

  it.each([
    ["a file that is not there", ["run", "/nowhere/ci.yaml"], 1, "/nowhere/ci.yaml: there is no such file"],
    ["a key that is there twice", ["run", "BROKEN"], 1, 'the key "name" is there twice at line 2'],
    ["an environment without a name", ["run", "-", "--env", "=x"], 2, "expected NAME=VALUE"],
    ["a list", ["run", "-"], 1, "expected a mapping with name, group and tasks, got a list"],
    ["no file", ["run"], 2, "missing required argument 'file'"],
  ])("refuses %s without asking the server", async (_, argv, code, message) => {
    const server = await playApi({});
    const args = argv.map((arg) => (arg === "BROKEN" ? join(folder, "broken.yaml") : arg));
    const done = await ostler(args, { url: server.url, stdin: "[1]" });
    expect(done).toMatchObject({ code, stdout: "" });
    expect(done.stderr).toContain(message);
    expect(server.requests).toHaveLength(0);
  });
});
