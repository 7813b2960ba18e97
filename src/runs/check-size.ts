import { parseSize, sizeForm } from "../size.ts";

export function checkSize(text: string | undefined, report: (message: string) => void): void {
  if (text !== undefined && !parseSize(text)) report(`"${text}" is not a size, write ${sizeForm}`);
}
