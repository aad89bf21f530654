/**
 * The Ed25519 key that the ledger signs its answers with (RFC 8032). Made at the first start and never replaced:
 * terminals pin the public half, which lies beside it.
 */
import { createPublicKey, generateKeyPairSync, type KeyObject } from "node:crypto";
import { existsSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { Fault } from "../../daemon/core/fault.ts";
import { readLedgerPrivateKey } from "../wire.ts";
import { writeDurably } from "./durable-file.ts";

export const PRIVATE_KEY_FILE = "ledger-key.pem";
export const PUBLIC_KEY_FILE = "ledger-key.pub.pem";

const OWNER_ONLY = 0o600;
const READABLE = 0o644;

/** Throws Fault "settings.invalid" when the key is damaged or others may read it. */
export function openSigningKey(folder: string): KeyObject {
  const path = join(folder, PRIVATE_KEY_FILE);
  if (!existsSync(path)) {
    const { privateKey } = generateKeyPairSync("ed25519");
    writeDurably(path, privateKey.export({ type: "pkcs8", format: "pem" }).toString(), OWNER_ONLY);
  }
  if ((statSync(path).mode & 0o077) !== 0) {
    throw new Fault("settings.invalid", `${path} can be read by others; run: chmod 600 ${path}`);
  }
  const key = readLedgerPrivateKey(readFileSync(path, "utf8"));
  const publicPem = createPublicKey(key).export({ type: "spki", format: "pem" }).toString();
  const publicPath = join(folder, PUBLIC_KEY_FILE);
  if (!existsSync(publicPath) || readFileSync(publicPath, "utf8") !== publicPem) {
    writeDurably(publicPath, publicPem, READABLE);
  }
  return key;
}
