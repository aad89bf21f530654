/** The ledger's public key as this terminal pins it: answers that it did not sign are refused. */
import type { KeyObject } from "node:crypto";
import { readFileSync } from "node:fs";
import { readLedgerKeys } from "../sync/wire.ts";
import { Fault } from "./core/fault.ts";

/** One key, or two while the ledger changes its key. Throws Fault "settings.invalid" with the way out. */
export function readLedgerKeyFile(path: string): readonly KeyObject[] {
  try {
    return readLedgerKeys(readFileSync(path, "utf8"));
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    const way =
      "copy ledger-key.pub.pem from the ledger's data folder there (ledger.publicKey in the settings)";
    throw new Fault("settings.invalid", `${path}: ${why}; ${way}`, { cause });
  }
}
