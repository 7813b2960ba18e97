import { createMemoryDriver } from "../../src/executors/memory/memory-driver.ts";
import { driverContract, steps } from "./driver-contract.ts";

driverContract({ name: "memory", survivesItsProcess: false }, async () => {
  const driver = createMemoryDriver({
    groupId: "memory",
    script: (_pod, { command }) => {
      if (command === steps.fails) return { output: "no\n", exitCode: 3 };
      if (command === steps.hangs) return { output: "up\n", until: new Promise(() => {}) };
      return { output: "one\ntwo\n" };
    },
  });
  return { driver, successor: () => driver, close: driver.close };
});
