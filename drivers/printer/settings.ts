/** The settings of the driver "printer/escpos": one schema gives type, defaults, checks and the settings page. */
import { z } from "zod";

/** Where fonts are looked for when the settings name no folder. */
export const SYSTEM_FONTS = ["/usr/share/fonts", "/usr/local/share/fonts"] as const;

export const escposSettings = z.strictObject({
  /** Character device: /dev/ttyUSB0, /dev/ttyACM0, /dev/serial/by-id/..., /dev/usb/lp0, or a pseudo-terminal. */
  path: z.string().startsWith("/"),
  /** "file" for the kernel's USB printer class device /dev/usb/lp0, which "auto" recognises by its name. */
  line: z.enum(["auto", "serial", "file"]).default("auto"),
  baudRate: z.number().int().min(1_200).max(921_600).default(115_200),
  flowControl: z.enum(["none", "rts-cts", "xon-xoff"]).default("none"),
  columns: z.union([z.literal(32), z.literal(42), z.literal(48)]).default(42),
  cut: z.enum(["full", "partial", "none"]).default("partial"),
  /** Opens the cash drawer at this connector pin with the first print of a receipt. */
  drawer: z.enum(["none", "pin-2", "pin-5"]).default("none"),
  /** IANA name for the time on the receipt; the machine's own when left out. */
  timeZone: z.string().refine(isTimeZone, "not a time zone that this machine knows").default(ownTimeZone),
  /** Where fonts are looked for, for characters that the printer lacks. */
  fontDirectories: z.array(z.string()).default([...SYSTEM_FONTS]),
  answerTimeoutMs: z.number().int().min(50).max(10_000).default(1_000),
  /** Longest time without progress in a receipt whose printer says that it is well. */
  stallTimeoutMs: z.number().int().min(500).max(60_000).default(10_000),
  pollIntervalMs: z.number().int().min(100).max(60_000).default(2_000),
});

export type EscposSettings = z.infer<typeof escposSettings>;

function ownTimeZone(): string {
  return Intl.DateTimeFormat().resolvedOptions().timeZone;
}

function isTimeZone(name: string): boolean {
  try {
    return new Intl.DateTimeFormat("en", { timeZone: name }).resolvedOptions().timeZone !== "";
  } catch {
    return false;
  }
}
