/** A simulated cluster in a process of its own, so that its memory is not counted as the driver's. Says its kubeconfig, and how many connections are open when asked. */
import { startSimulator } from "../../test/support/kubernetes/simulator.ts";

const simulator = await startSimulator({ speed: 50 });
process.on("message", (message) => {
  if (message === "close") {
    void simulator.close().then(() => process.disconnect());
    return;
  }
  process.send?.({ type: "figures", connections: simulator.connections(), requests: simulator.requests.count() });
  simulator.requests.clear();
});
process.send?.({ type: "ready", kubeconfig: simulator.kubeconfig });
