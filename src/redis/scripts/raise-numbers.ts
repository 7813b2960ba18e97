import { z } from "zod";
import { defineScript } from "../define-script.ts";

export interface RunNumber {
  readonly root: string;
  readonly number: number;
}

/** Makes every root group's numbering go on after the given number at least. At most a few thousand at once. */
export const raiseNumbers = defineScript({
  file: new URL("./raise-numbers.lua", import.meta.url),
  keys: (numbers: readonly RunNumber[], keys) => numbers.map(({ root }) => keys.runNumber(root)),
  args: (numbers) => numbers.map(({ number }) => number),
  reply: z.number(),
});
