/**
 * The shop's card keys: two AES-128 masters, given in the settings or in a key file that only its owner can read.
 * A mistake is a Fault that names the file and the way out, and never shows a digit of a key.
 */
import { readFileSync, statSync } from "node:fs";
import { z } from "zod";
import { Fault } from "../../daemon/core/fault.ts";
import { AES_KEY_BYTES, deriveTokenKey } from "./ntag424.ts";
import { type AesKey, Secret, type TokenKey } from "./secret.ts";

const keyHex = z.string().regex(/^[0-9A-Fa-f]{32}$/u, "must be 32 hexadecimal digits (an AES-128 key)");

export const keySchema = z.strictObject({
  /** SDMMetaReadKey, the same on every card, because it is needed before the card is known. */
  metaReadKeyHex: keyHex,
  /** Master of the SDMFileReadKey, which each card holds diversified by its UID (AN10922). */
  fileReadMasterKeyHex: keyHex,
});

export type CardKeys = {
  readonly metaReadKey: AesKey;
  readonly fileReadMaster: AesKey;
  readonly tokenKey: TokenKey;
};

export type KeySource = {
  readonly keys?: z.infer<typeof keySchema> | undefined;
  readonly keyFile?: string | undefined;
};

/** Reads the keys from wherever the settings say. Throws a Fault "settings.invalid". */
export function loadCardKeys(source: KeySource): CardKeys {
  if (source.keys !== undefined) return cardKeys(source.keys);
  if (source.keyFile !== undefined) return cardKeys(readKeyFile(source.keyFile));
  throw new Fault("settings.invalid", "the card reader needs `keys` or `keyFile`");
}

function readKeyFile(path: string): z.infer<typeof keySchema> {
  let text: string;
  try {
    const mode = statSync(path).mode & 0o777;
    if ((mode & 0o077) !== 0) {
      throw new Fault(
        "settings.invalid",
        `others can read the key file ${path} (mode ${mode.toString(8)}): chmod 600 it`,
      );
    }
    text = readFileSync(path, "utf8");
  } catch (cause) {
    if (cause instanceof Fault) throw cause;
    throw new Fault("settings.invalid", `the key file ${path} cannot be read`, { cause });
  }
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    // The parser's message quotes the text, so it is not kept as the cause.
    throw new Fault("settings.invalid", `the key file ${path} is not JSON`);
  }
  const parsed = keySchema.safeParse(value);
  if (parsed.success) return parsed.data;
  const mistakes = parsed.error.issues.map((issue) => `${issue.path.join(".")}: ${issue.message}`).join("; ");
  throw new Fault("settings.invalid", `the key file ${path}: ${mistakes}`);
}

function cardKeys(hex: z.infer<typeof keySchema>): CardKeys {
  const fileReadMaster: AesKey = key(hex.fileReadMasterKeyHex);
  return { metaReadKey: key(hex.metaReadKeyHex), fileReadMaster, tokenKey: deriveTokenKey(fileReadMaster) };
}

function key(hex: string): AesKey {
  const bytes = Buffer.from(hex, "hex");
  if (bytes.length !== AES_KEY_BYTES) throw new Error("The schema lets only 16-byte keys through");
  return new Secret(bytes);
}
