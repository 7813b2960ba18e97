/** A process that puts objects until it is killed: two keys in turn, each body one letter repeated, so that half an object shows. */
import { openDirectory } from "../../src/ost/directory.ts";

const [root = ""] = process.argv.slice(2);
const store = await openDirectory(root);

async function* slowly(letter: string) {
  for (let i = 0; i < 64; i++) yield Buffer.alloc(16_384, letter);
}

process.stdout.write("ready\n");
for (let i = 0; ; i++) {
  const letter = String.fromCharCode(97 + (i % 26));
  await store.put(`objects/${i % 2}`, slowly(letter));
  await store.put(`objects/absent-${i}`, slowly(letter), { onlyIfAbsent: true });
}
