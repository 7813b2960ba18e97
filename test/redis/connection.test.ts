import { it } from "vitest";
import { type ConnectionRole, createRedis } from "../../src/redis/connection.ts";
import { startRedis } from "../support/redis.ts";
import { until } from "../support/until.ts";
import { openSilentLine } from "./silent-line.ts";

const roles = ["commands", "commit", "blocking", "queue"] as const satisfies readonly ConnectionRole[];

it.for(roles)(
  "a connection for %s is replaced when nothing comes by it any more",
  { concurrent: true, timeout: 60_000 },
  async (role, { expect, onTestFinished }) => {
    const server = await startRedis();
    onTestFinished(() => server.stop());
    const line = await openSilentLine(server.url);
    onTestFinished(() => line.close());
    const redis = createRedis(line.url, role);
    onTestFinished(() => redis.disconnect());
    await redis.connect();
    expect(await redis.ping()).toBe("PONG");
    line.silence();
    let answers = 0;
    const ask = () =>
      redis.ping().then(
        () => (answers += 1),
        () => {},
      );
    await until(
      `${role} is answered again`,
      async () => {
        await ask();
        return answers > 0;
      },
      40_000,
    );
  },
);
