/**
 * A simulated cluster in a process of its own, so that its memory and time are not counted as the driver's.
 * Says its kubeconfig, and when asked for `figures`, how many connections are open and requests have come since.
 */
import { startSimulator } from "../../test/support/kubernetes/simulator.ts";

const simulator = await startSimulator({ speed: Number(process.argv[2] ?? 50) });
process.on("message", () => {
  process.send?.({ type: "figures", connections: simulator.connections(), requests: simulator.requests.count() });
  simulator.requests.clear();
});
process.on("disconnect", () => void simulator.close());
process.send?.({ type: "ready", kubeconfig: simulator.kubeconfig });
