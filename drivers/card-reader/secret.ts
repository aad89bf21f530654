/**
 * Bytes that must never leave the card-reader process: master keys, derived keys and card UIDs (rule 7 of the
 * architecture). The bytes sit in a private field, so a structured clone, a spread or a debugger-style print of the
 * object shows nothing, and JSON refuses it loudly: a leak by accident becomes a crash in a test, not a line in a log.
 */
import { inspect } from "node:util";

export class Secret<Name extends string> {
  /** Exists only for the type checker: a UID cannot be handed over where a key is wanted. */
  declare readonly brand: Name;
  readonly #bytes: Uint8Array;

  constructor(bytes: Uint8Array) {
    this.#bytes = Uint8Array.from(bytes);
  }

  /** The bytes themselves, for the one computation that needs them. Never put the result into an event or a log. */
  reveal(): Uint8Array {
    return this.#bytes;
  }

  toJSON(): never {
    throw new TypeError("A secret cannot be serialised");
  }

  toString(): string {
    return "[secret]";
  }

  [inspect.custom](): string {
    return "[secret]";
  }
}

/** A 16-byte AES-128 key. */
export type AesKey = Secret<"aes-key">;
/** A 7-byte card UID (ISO/IEC 14443-3, double size). It identifies a person's card, so it is treated like a number. */
export type CardUid = Secret<"card-uid">;
/** The key under which UIDs become card tokens. */
export type TokenKey = Secret<"token-key">;
