import { z } from "zod";
import { PodError, type RegistryLogin } from "../driver.ts";
import { type Engine, messageOf, statusOf, unless } from "./engine.ts";
import { isImageName, loginFor, registryOf } from "./image-name.ts";
import { createPullProgress, PullLine } from "./pull-progress.ts";

/** What the driver must know of an image. */
export interface Image {
  readonly name: string;
  /** In Docker's own words, which are ostler's. */
  readonly arch: string;
  readonly user: string;
  readonly command: readonly string[];
}

const Inspected = z.object({
  Architecture: z.string(),
  Config: z
    .object({
      User: z.string().nullish(),
      Entrypoint: z.array(z.string()).nullish(),
      Cmd: z.array(z.string()).nullish(),
    })
    .nullish(),
});

/** Faults that trying again does not mend. */
const permanent =
  /not found|manifest unknown|no such image|denied|unauthorized|authentication required|no basic auth|incorrect username|invalid reference|repository name|no matching manifest|does not match the specified platform|unsupported/i;

export interface ImageRequest {
  readonly image: string;
  /** The architecture that it must run on. */
  readonly arch: string;
  readonly registries: Readonly<Record<string, RegistryLogin>>;
}

/** The image, pulled if the daemon does not have it. Throws PodError `image_permanent` or `image`. */
export async function getImage(
  engine: Engine,
  request: ImageRequest,
  { onProgress, signal }: { readonly onProgress: (line: string) => void; readonly signal: AbortSignal },
): Promise<Image> {
  const { image, arch } = request;
  if (!isImageName(image)) throw new PodError("image_permanent", `the image's name is malformed: ${JSON.stringify(image.slice(0, 200))}`);
  const found = await findImage(engine, image);
  if (found?.arch === arch) return found;
  const wrongArch = (is: string) => new PodError("image_permanent", `the image ${image} is made for ${is}, and not for ${arch}`);
  await pull(engine, request, { onProgress, signal }).catch((error: unknown) => {
    signal.throwIfAborted();
    throw found ? wrongArch(found.arch) : pullFault(image, error);
  });
  const pulled = await findImage(engine, image);
  if (!pulled) throw new PodError("image", `the image ${image} was pulled, and is not there`);
  if (pulled.arch !== arch) throw wrongArch(pulled.arch);
  return pulled;
}

/** What the daemon has under that name. */
async function findImage(engine: Engine, name: string): Promise<Image | undefined> {
  const found = await unless([404], engine.getImage(name).inspect());
  if (!found) return undefined;
  const { Architecture, Config } = Inspected.parse(found);
  return {
    name,
    arch: Architecture,
    user: Config?.User || "0",
    command: [...(Config?.Entrypoint ?? []), ...(Config?.Cmd ?? [])],
  };
}

type PullControls = Parameters<typeof getImage>[2];

async function pull(engine: Engine, { image, arch, registries }: ImageRequest, { onProgress, signal }: PullControls): Promise<void> {
  const login = loginFor(image, registries);
  onProgress(`pulling ${image}${login ? ` as ${login.username}` : ""}`);
  const stream = await engine.pull(image, {
    platform: `linux/${arch}`,
    abortSignal: signal,
    ...(login && { authconfig: { username: login.username, password: login.password, serveraddress: registryOf(image) } }),
  });
  const progress = createPullProgress(image, onProgress);
  let rest = "";
  for await (const bytes of stream) {
    const lines = (rest + bytes).split("\n");
    rest = lines.pop() ?? "";
    for (const line of lines.filter((text) => text.trim() !== "")) {
      const said = PullLine.parse(JSON.parse(line));
      if (said.error !== undefined) throw new Error(said.error);
      progress(said);
    }
  }
}

function pullFault(image: string, error: unknown): PodError {
  const message = messageOf(error);
  const isPermanent = permanent.test(message) || statusOf(error) === 404 || statusOf(error) === 400;
  return new PodError(isPermanent ? "image_permanent" : "image", `the image ${image} cannot be pulled: ${message}`, { cause: error });
}
