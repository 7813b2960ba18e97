import type { ContainerCreateOptions } from "dockerode";
import { PodError } from "../driver.ts";
import { type Engine, messageOf, statusOf, unless } from "./engine.ts";

/**
 * Creates a container under a name; false if it is there already. What the daemon finds wrong with it is the task's fault;
 * that an image has gone since it was looked for is not.
 */
export async function createContainer(engine: Engine, name: string, body: ContainerCreateOptions): Promise<boolean> {
  // The client would put what it does not know to be body or query into both, and a URL is logged.
  const options: ContainerCreateOptions & Readonly<Record<"_query" | "_body", unknown>> = { name, _query: { name }, _body: body };
  try {
    return (await unless([409], engine.createContainer(options))) !== undefined;
  } catch (error) {
    const status = statusOf(error);
    const [message, cause] = [messageOf(error), { cause: error }];
    if (status === 404) throw new PodError("image", `the image ${body.Image} has just been removed: ${message}`, cause);
    if (status === 400) throw new PodError("config", `the container is refused: ${message}`, cause);
    throw error;
  }
}

/** Starts it; one that runs already is left alone. */
export async function startContainer(engine: Engine, name: string, what: string): Promise<void> {
  await unless([304], engine.getContainer(name).start()).catch((error: unknown) => {
    throw new PodError("setup", `${what} cannot be started: ${messageOf(error)}`, { cause: error });
  });
}
