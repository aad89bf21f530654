/** Where the terminal that staff means keeps its data: named by its settings file, or by its data folder. */
import { dirname, join, resolve } from "node:path";
import { z } from "zod";
import { readSettings } from "../../sync/settings-file.ts";
import { STAFF_SOCKET } from "../staff-socket.ts";
import { Complaint, EXIT } from "./exit-status.ts";

export type Place = {
  readonly data: string;
  readonly socket: string;
  /** Null when only the folder was named. */
  readonly terminal: string | null;
};

export type Named = { readonly config?: string; readonly data?: string };

/** The rest of the file is the daemon's business: this must work with one that an update has changed. */
const partOfSettings = z.looseObject({ terminal: z.string(), data: z.string().default("data") });

/** Throws a Complaint when nothing was named, Fault "settings.invalid" when the file cannot be read. */
export function placeOf(named: Named): Place {
  if (named.config !== undefined) {
    const { terminal, data } = readSettings(named.config, partOfSettings);
    return inFolder(resolve(dirname(named.config), data), terminal);
  }
  if (named.data !== undefined) return inFolder(resolve(named.data), null);
  throw new Complaint(EXIT.usage, "which terminal? Name it with --config FILE or --data FOLDER");
}

function inFolder(data: string, terminal: string | null): Place {
  return { data, socket: join(data, STAFF_SOCKET), terminal };
}
