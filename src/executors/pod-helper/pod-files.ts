import type { PodFiles } from "../driver.ts";
import { packInPod } from "./pod-packing.ts";
import type { PodTalk } from "./pod-talk.ts";
import { unpackInPod } from "./pod-unpacking.ts";
import { assign, scripts } from "./script.ts";

/** The files of a pod, read and written by the helper in it as whom its steps run as. */
export function createPodFiles(talk: PodTalk): PodFiles {
  return {
    pack: (what, signal) => packInPod(talk, what, signal),
    unpack: (what, tar, signal) => unpackInPod(talk, what, tar, signal),
    read: async (path, maxBytes, signal) => {
      const script = `${assign({ path, count: maxBytes + 1 })}${scripts.path}
[ -e "$_ostler_path" ] && echo "$("$_ostler_b" head -c "$_ostler_count" "$_ostler_path" | "$_ostler_b" base64)."`;
      const text = (await talk.ask("step", script, signal)).toString();
      return text.endsWith(".\n") ? Buffer.from(text, "base64") : undefined;
    },
    sha256: async (path, signal) => {
      const script = `${assign({ path })}${scripts.path}\n[ -e "$_ostler_path" ] && "$_ostler_b" sha256sum <"$_ostler_path"`;
      const digest = /^[0-9a-f]{64}/.exec((await talk.ask("step", script, signal)).toString())?.[0];
      return digest;
    },
  };
}
