import { existsSync, globSync } from "node:fs";
import { createServer } from "node:http";
import { basename, dirname, join } from "node:path";
import Docker from "dockerode";
import { afterAll, beforeAll, expect, it } from "vitest";
import { images } from "./docker-images.ts";
import { type PrivateDocker, relayToDocker, startDocker } from "./dockerd.ts";
import { newFolder } from "./folder.ts";
import { describeWithDocker, sharedDocker } from "./shared-docker.ts";

let own: PrivateDocker;
let client: Docker;

beforeAll(async () => {
  own = await startDocker();
  client = new Docker({ socketPath: own.socketPath });
});

afterAll(async () => {
  await own.remove();
});

/** Runs a command to its end in a new container, and gives back what it printed. */
async function outputOf(docker: Docker, image: string, command: readonly string[], network = "bridge"): Promise<string> {
  const container = await docker.createContainer({ Image: image, Cmd: [...command], Tty: true, HostConfig: { NetworkMode: network } });
  await container.start();
  await container.wait();
  const output = await container.logs({ stdout: true, stderr: true });
  await container.remove({ force: true });
  return output.toString().replaceAll("\r\n", "\n");
}

describeWithDocker("a private Docker daemon", { timeout: 60_000 }, () => {
  it("has an image with a shell, one of a user, one without a shell, and one that serves", async () => {
    expect(await outputOf(client, images.busybox, ["sh", "-c", "echo $((6 * 7)); id -u"])).toBe("42\n0\n");
    expect(await outputOf(client, images.nonRoot, ["sh", "-c", "id -u; pwd; touch $HOME/a && ls"])).toBe("1000\n/work\na\n");
    expect(await outputOf(client, images.bare, ["/bin/cat", "/etc/passwd"])).toContain("worker:x:1000");
    await expect(outputOf(client, images.bare, ["sh", "-c", "true"])).rejects.toThrow(/sh/);
  });

  it("lets containers of a network reach each other by name", async () => {
    const network = await client.createNetwork({ Name: "pod-1" });
    const server = await client.createContainer({ name: "db", Image: images.server, HostConfig: { NetworkMode: "pod-1" } });
    await server.start();
    expect(await outputOf(client, images.busybox, ["wget", "-qO-", "http://db:8080/"], "pod-1")).toBe("served\n");
    await server.remove({ force: true });
    await network.remove();
  });

  it("reaches a server of the test where that asks for it", async () => {
    const path = join(newFolder("registry"), "registry.sock");
    const asked: string[] = [];
    const server = createServer((request, response) => {
      asked.push(request.url ?? "");
      response.writeHead(404).end();
    }).listen(path);
    const relay = await relayToDocker(own, path);
    await expect(client.createImage({ fromImage: `127.0.0.1:${relay.port}/missing:1` })).rejects.toThrow();
    relay.close();
    server.close();
    expect(asked).toContain("/v2/");
  });

  it("goes on with what it knew after it was killed and started again", async () => {
    const old = own.pid();
    own.kill("SIGKILL");
    await own.restart();
    expect(own.pid()).not.toBe(old);
    expect(await outputOf(client, images.busybox, ["echo", "again"])).toBe("again\n");
  });

  it("is another than the one that test files share", async () => {
    const shared = await sharedDocker();
    const [one, other] = [await client.info(), await new Docker({ socketPath: shared.socketPath }).info()];
    expect(one.ID).not.toBe(other.ID);
    expect(await sharedDocker()).toEqual(shared);
  });

  it("leaves nothing behind, not even of a container that runs", async () => {
    const docker = await startDocker();
    const container = await new Docker({ socketPath: docker.socketPath }).createContainer({ Image: images.busybox, Cmd: ["sleep", "999"] });
    await container.start();
    await docker.remove();
    const folder = dirname(docker.socketPath);
    expect(existsSync(`/proc/${docker.homePid}`)).toBe(false);
    expect(existsSync(folder)).toBe(false);
    expect(globSync(`/sys/fs/cgroup/{*/,}${basename(folder)}`)).toEqual([]);
  });
});
