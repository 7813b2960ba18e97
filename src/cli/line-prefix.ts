/** Puts a prefix before every line of a text that comes in pieces. A line is given out once it is whole, so that lines of several texts never mix. */
export interface LinePrefixer {
  readonly push: (text: string) => string;
  /** The last line, if it had no end. */
  readonly flush: () => string;
}

export function createLinePrefixer(prefix: string): LinePrefixer {
  let rest = "";
  return {
    push: (text) => {
      const lines = (rest + text).split("\n");
      rest = lines.pop() ?? "";
      return lines.map((line) => `${prefix}${line}\n`).join("");
    },
    flush: () => {
      const line = rest === "" ? "" : `${prefix}${rest}\n`;
      rest = "";
      return line;
    },
  };
}
