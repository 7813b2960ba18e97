/** Where the static busybox is in every container that has the helper: a volume that only its filler writes to. */
export const binFolder = "/ostler/bin";
export const busybox = `${binFolder}/busybox`;
/** The same under the name by which it is a shell. */
export const shell = `${binFolder}/sh`;

/** Where the main container keeps the state of its pod: a writable volume that lives as long as the pod. */
export const stateFolder = "/ostler/pod";

/** The file that steps write their outputs to. */
export const outputFile = `${stateFolder}/outputs`;

/** Run in a container of the helper image with the helper's volume at `binFolder`, fills that. Repeating it changes nothing. */
export const fillCommand: readonly string[] = [
  "/bin/busybox",
  "sh",
  "-c",
  `[ -x ${busybox} ] && [ -h ${shell} ] && exit
/bin/busybox cp /bin/busybox ${busybox}.$$ && /bin/busybox mv ${busybox}.$$ ${busybox} && /bin/busybox ln -sf busybox ${shell}`,
];
