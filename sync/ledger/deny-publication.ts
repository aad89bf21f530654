/**
 * Publishes the deny list, retained and signed, on the topic of every terminal: when the ledger begins to listen, at
 * every change, and when a terminal greets that has not got the newest one over this connection. One after the other,
 * so that a list for a hundred thousand terminals never piles up in memory.
 *
 * A ledger that never denied a card publishes nothing: a terminal that has no list denies nobody.
 */
import type { KeyObject } from "node:crypto";
import { type DenyList, encodeDenyList, topicsOf } from "../wire.ts";
import type { LinkLog } from "./link-log.ts";

/** How long a change waits for more of them: an operator's script denies many cards, and one list holds them all. */
const GATHER_MS = 200;

export type DenyPublicationParts = {
  readonly list: () => DenyList;
  /** Everybody who has to have it. */
  readonly terminals: () => Promise<readonly string[]>;
  readonly signingKey: KeyObject;
  /** Resolves when the broker has it; rejects when it cannot be brought there now. */
  readonly publish: (topic: string, bytes: Uint8Array) => Promise<void>;
  readonly log: LinkLog;
};

export class DenyPublication {
  readonly #parts: DenyPublicationParts;
  /** The version that each terminal got over this connection. */
  #published = new Map<string, number>();
  #rounds: Promise<void> = Promise.resolve();
  #gathering = false;

  constructor(parts: DenyPublicationParts) {
    this.#parts = parts;
  }

  /** Another connection: perhaps another broker, which has kept nothing. */
  forget(): void {
    this.#published = new Map();
  }

  /** The list has changed: everybody gets it, a moment later. */
  changed(): void {
    if (this.#gathering) return;
    this.#gathering = true;
    const publish = (): void => {
      this.#gathering = false;
      void this.toAll();
    };
    setTimeout(publish, GATHER_MS).unref();
  }

  /** Brings everybody up to date, after what is under way. Never rejects: what fails is logged and made good later. */
  async toAll(): Promise<void> {
    this.#rounds = this.#rounds.then(async () => this.#round());
    return this.#rounds;
  }

  /** Brings one terminal up to date; false when the broker cannot be reached now. */
  async to(terminal: string): Promise<boolean> {
    const { list, publish, signingKey, log } = this.#parts;
    const newest = list();
    if (newest.version === 0 || this.#published.get(terminal) === newest.version) return true;
    const published = this.#published;
    try {
      await publish(topicsOf(terminal).deny, encodeDenyList(terminal, newest, signingKey));
      published.set(terminal, newest.version);
      return true;
    } catch (error) {
      log.warn({ terminal, version: newest.version, err: String(error) }, "deny list not delivered");
      return false;
    }
  }

  async #round(): Promise<void> {
    try {
      for (const terminal of await this.#parts.terminals()) {
        // The next connection begins with a round of its own.
        if (!(await this.to(terminal))) return;
      }
    } catch (error) {
      this.#parts.log.error({ err: String(error) }, "the deny list is not published");
    }
  }
}
