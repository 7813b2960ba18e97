import type { Logger } from "pino";
import type { Config } from "../config.ts";
import type { Role } from "../serve/run-role.ts";
import { assertGuarded } from "./authentication.ts";
import { composeApi } from "./compose.ts";
import { listen } from "./listen.ts";

const faultCheckMs = 1_000;

/** The api role. `ready` resolves once it listens, `ended` rejects if it cannot go on; throws at once where it must not listen. */
export async function startApi({ config, log }: { readonly config: Config; readonly log: Logger }): Promise<Role> {
  assertGuarded(config);
  const closers: (() => Promise<void> | void)[] = [];
  const onClose = (close: () => Promise<void> | void) => {
    closers.push(close);
  };
  const close = async () => {
    for (const closer of closers.splice(0).reverse()) await closer();
  };
  try {
    const closing = new AbortController();
    const { app, fault } = await composeApi({ config, log, onClose }, closing.signal);
    const listener = await listen({ fetch: app.fetch, host: config.host, port: config.port, log });
    onClose(async () => {
      // Streams would keep their connections busy.
      closing.abort();
      await listener.close();
    });
    const { promise: ended, reject } = Promise.withResolvers<void>();
    ended.catch(() => {});
    const watch = setInterval(() => {
      const error = fault();
      if (error) reject(error);
    }, faultCheckMs);
    onClose(() => clearInterval(watch));
    log.info({ url: listener.url }, "listening");
    return { ready: Promise.resolve(), ended, url: listener.url, close };
  } catch (error) {
    await close();
    throw error;
  }
}
