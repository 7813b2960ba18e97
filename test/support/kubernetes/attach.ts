import { openChannels } from "./exec-channels.ts";
import type { ContainerTask } from "./kubelet/container-task.ts";
import type { WebSocketPeer } from "./web-socket.ts";

/** Shows what a container writes from now on, until it ends or the client goes. */
export function attach(peer: WebSocketPeer, protocol: string, { process }: ContainerTask): void {
  const channels = openChannels(peer, protocol, 1);
  const onOutput = (bytes: Buffer) => channels.write(1, bytes);
  const onError = (bytes: Buffer) => channels.write(2, bytes);
  process?.stdout.on("data", onOutput);
  process?.stderr.on("data", onError);
  peer.onClose(() => {
    process?.stdout.off("data", onOutput);
    process?.stderr.off("data", onError);
  });
  void process?.ended.then((code) => channels.finish({ type: "exited", code, command: [] }));
}
