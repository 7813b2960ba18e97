import { driverContract } from "../executors/driver-contract.ts";
import { openTestedCluster } from "./tested-cluster.ts";

driverContract({ name: "kubernetes", survivesItsProcess: true }, async () => {
  const cluster = await openTestedCluster();
  return { driver: cluster.createDriver(), successor: () => cluster.createDriver(), close: cluster.close };
});
