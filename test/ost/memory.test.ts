import { createMemoryStore } from "../../src/ost/memory.ts";
import { storeContract } from "./store-contract.ts";

storeContract("memory", async () => createMemoryStore());
