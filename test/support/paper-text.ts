/** Laid-out paper as strings, so that a test reads like the paper. */
import type { PaperLine } from "../../drivers/printer/composition.ts";

/** As it looks on paper, with marks for print that is not plain: "c" centred, "2x2" its scale. */
export function shown(lines: readonly PaperLine[]): string[] {
  return lines.map((line) => {
    if (line.kind === "qr") return `<${line.data}>`;
    const scale = line.width === 1 && line.height === 1 ? "" : `${line.width}x${line.height}`;
    const mark = `${line.align === "center" ? "c" : ""}${scale}`;
    return mark === "" ? line.text : `${mark}|${line.text}`;
  });
}
