/**
 * Every driver there is, by id: the one place that a new driver is added to. Each is imported only when it is opened, so
 * that the printer's process never loads the sound library.
 */
import type { Driver, DriverKind } from "./driver.ts";

type Entries = {
  readonly [Kind in DriverKind]: Readonly<Record<`${Kind}/${string}`, () => Promise<Driver<Kind>>>>;
};

const DRIVERS = {
  microphone: {
    "microphone/alsa": async () => (await import("./microphone/alsa.ts")).alsaMicrophone,
  },
  speaker: {
    "speaker/alsa": async () => (await import("./speaker/alsa.ts")).alsaSpeaker,
  },
  "card-reader": {
    "card-reader/pcsc": async () => (await import("./card-reader/pcsc.ts")).pcscCardReader,
  },
  printer: {
    "printer/escpos": async () => (await import("./printer/escpos.ts")).escposPrinter,
  },
} satisfies Entries;

export type AnyDriver = { readonly [Kind in DriverKind]: Driver<Kind> }[DriverKind];

/** Loads a driver by its id, or gives undefined when there is none of that id. */
export async function loadDriver(id: string): Promise<AnyDriver | undefined> {
  for (const drivers of Object.values<{ readonly [id: string]: () => Promise<AnyDriver> }>(DRIVERS)) {
    const load = Object.hasOwn(drivers, id) ? drivers[id] : undefined;
    if (load !== undefined) return load();
  }
  return undefined;
}

export function driverIds(): readonly string[] {
  return Object.values(DRIVERS).flatMap((drivers) => Object.keys(drivers));
}
