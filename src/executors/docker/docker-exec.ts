import { PodError } from "../driver.ts";
import type { ExecChunk, PodExec } from "../pod-helper/pod-exec.ts";
import type { Engine } from "./engine.ts";
import { readFrames } from "./frames.ts";

/** Where the daemon tells on stdout, instead of the command's output, that there is no command. */
const complaint =
  /^(OCI runtime exec failed|unable to find user|unable to find group|.*no matching entries in passwd|.*no matching entries in group)/;
const permanent = /unable to find user|unable to find group|no matching entries in/;
const maxComplaint = 4_096;

/** Commands in a container by the daemon's exec. */
export function createDockerExec(engine: Engine, containerName: string): PodExec {
  return {
    open: async ({ command, input, user }, signal) => {
      const container = engine.getContainer(containerName);
      const exec = await container.exec({
        Cmd: [...command],
        AttachStdin: true,
        AttachStdout: true,
        AttachStderr: true,
        ...(user !== undefined && { User: user }),
        abortSignal: signal,
      });
      const socket = await exec.start({ hijack: true, stdin: true, abortSignal: signal });
      const close = () => {
        signal.removeEventListener("abort", close);
        socket.destroy();
      };
      signal.addEventListener("abort", close, { once: true });
      // Whoever reads hears of it; a command that has ended need not have read all its input.
      socket.on("error", () => {});
      socket.write(input);
      if (signal.aborted) close();
      return { chunks: checked(readFrames(socket), close), close };
    },
  };
}

async function* checked(chunks: AsyncIterable<ExecChunk>, close: () => void): AsyncGenerator<ExecChunk> {
  let held: ExecChunk | undefined;
  let isFirst = true;
  try {
    for await (const chunk of chunks) {
      if (held) yield held;
      held = undefined;
      if (isFirst && chunk.channel === "stdout" && chunk.bytes.length <= maxComplaint && complaint.test(text(chunk))) held = chunk;
      else yield chunk;
      isFirst = false;
    }
  } finally {
    close();
  }
  if (!held) return;
  if (permanent.test(text(held))) throw new PodError("config", text(held).trim());
  throw new Error(text(held).trim());
}

function text({ bytes }: ExecChunk): string {
  return Buffer.from(bytes).toString();
}
