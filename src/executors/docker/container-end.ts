import { IncomingMessage } from "node:http";
import type { Engine } from "./engine.ts";

/**
 * Resolves once the daemon says that the container has ended; rejects if it refuses or the connection is cut.
 * The client's own `wait` never settles when the daemon dies meanwhile: the head of the answer comes at once, its body at the end,
 * and the client does not look at what happens between them.
 */
export async function containerEnd(engine: Engine, name: string, signal?: AbortSignal): Promise<void> {
  const answer = await new Promise<IncomingMessage>((resolve, reject) => {
    engine.modem.dial(
      {
        path: `/containers/${name}/wait?`,
        method: "POST",
        isStream: true,
        statusCodes: { 200: true, 404: "no such container", 500: "server error" },
        ...(signal && { abortSignal: signal }),
      },
      (error: unknown, result) => (result instanceof IncomingMessage ? resolve(result) : reject(error)),
    );
  });
  for await (const _ of answer);
}
