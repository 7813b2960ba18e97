import { findProcess } from "../../src/executors/processes.ts";
import type { Fleet } from "./fleet.ts";

export function isAlive(pid: number): boolean {
  return findProcess(pid) !== undefined;
}

/** The shells of all held steps that have begun, in that order. */
export async function shellsOf(fleet: Fleet): Promise<readonly number[]> {
  return (await fleet.told("begin")).map(({ pid }) => pid);
}
