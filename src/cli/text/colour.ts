import { styleText } from "node:util";

type Style = Parameters<typeof styleText>[0];

/** Colours a text, or leaves it alone where colours are not wanted. */
export type Paint = (style: Style, text: string) => string;

export const plain: Paint = (_, text) => text;

export const coloured: Paint = (style, text) => (text === "" ? "" : styleText(style, text, { validateStream: false }));

/** Colours if `stream` is a terminal that knows them and nobody said otherwise (`NO_COLOR`, `FORCE_COLOR`, `TERM=dumb`). */
export function paintFor(stream: NodeJS.WritableStream): Paint {
  return styleText("red", "x", { stream }) === "x" ? plain : coloured;
}
