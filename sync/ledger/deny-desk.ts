/**
 * The deny list at the ledger: who is on it, the coded list that terminals get, and the answer whether a card is denied,
 * which is exact here and at hand without a question to the storage.
 *
 * A change is in the books before it takes effect; whoever publishes the list is called afterwards. Changes are made one
 * after the other, so that the list of a version holds every change up to it. Assumes that this process alone changes
 * the list.
 */
import { buildDenyList, type DenyList, denyHash, MAX_DENIED_CARDS, NO_CARDS } from "../wire.ts";
import type { DeniedCard, TerminalRegistry } from "./registry.ts";
import { SerialQueues } from "./serial-queues.ts";

/** Changes that may wait for each other. */
const MAX_WAITING_CHANGES = 10_000;

/** Why a card is denied, and who says so. */
export type DenyReason = { readonly reason: string; readonly by: string };

export type DenyAnswer =
  | { readonly kind: "changed"; readonly card: string; readonly version: number }
  | { readonly kind: "no-such-charge" }
  /** The charge was made before the ledger kept what it needs to deny its card: name the card by its token. */
  | { readonly kind: "card-not-kept" }
  | { readonly kind: "not-denied" }
  | { readonly kind: "full" };

export type DenyDeskParts = {
  readonly storage: Pick<TerminalRegistry, "denied" | "deny" | "allow" | "cardOfCharge">;
  readonly now: () => number;
};

export class DenyDesk {
  readonly #parts: DenyDeskParts;
  readonly #cards = new Set<string>();
  readonly #changes = new SerialQueues(MAX_WAITING_CHANGES);
  readonly #listeners: (() => void)[] = [];
  #version = 0;
  /** Built when it is asked for: a long list takes a second, and a hundred changes at once need one list. */
  #list: DenyList = NO_CARDS;

  constructor(parts: DenyDeskParts) {
    this.#parts = parts;
  }

  /** Reads who is denied. Before it, nobody is. */
  async open(): Promise<void> {
    const { version, cards } = await this.#parts.storage.denied();
    this.#cards.clear();
    for (const { card } of cards) this.#cards.add(card);
    this.#version = version;
  }

  /** What terminals get. */
  get list(): DenyList {
    if (this.#list.version !== this.#version) {
      const hashes = [...this.#cards].map((card) => Buffer.from(card, "hex"));
      this.#list = buildDenyList(this.#version, hashes);
    }
    return this.#list;
  }

  /** Called after every change. */
  onChange(listener: () => void): void {
    this.#listeners.push(listener);
  }

  readonly isDenied = (token: string): boolean => this.#cards.size > 0 && this.#cards.has(cardOf(token));

  /** Everybody on the list, for people. */
  async cards(): Promise<readonly DeniedCard[]> {
    return (await this.#parts.storage.denied()).cards;
  }

  async denyToken(token: string, why: DenyReason): Promise<DenyAnswer> {
    return this.#deny({ card: cardOf(token), masked: null, ...why });
  }

  /** Denies the card that a charge was made with, so that nobody needs to know its token. */
  async denyCharge(terminal: string, key: string, why: DenyReason): Promise<DenyAnswer> {
    const found = await this.#parts.storage.cardOfCharge(terminal, key);
    if (found === undefined) return { kind: "no-such-charge" };
    const { card, masked } = found;
    return card === null ? { kind: "card-not-kept" } : this.#deny({ card, masked, ...why });
  }

  async allow(card: string, by: string): Promise<DenyAnswer> {
    return this.#inTurn(async () => {
      const version = await this.#parts.storage.allow(card, by, this.#parts.now());
      if (version === undefined) return { kind: "not-denied" };
      this.#cards.delete(card);
      return this.#changed(card, version);
    });
  }

  async #deny(denied: Omit<DeniedCard, "sinceMs">): Promise<DenyAnswer> {
    return this.#inTurn(async () => {
      const { card } = denied;
      if (this.#cards.size >= MAX_DENIED_CARDS && !this.#cards.has(card)) return { kind: "full" };
      const version = await this.#parts.storage.deny(denied, this.#parts.now());
      this.#cards.add(card);
      return this.#changed(card, version);
    });
  }

  async #inTurn(change: () => Promise<DenyAnswer>): Promise<DenyAnswer> {
    return this.#changes.run("change", change);
  }

  #changed(card: string, version: number): DenyAnswer {
    this.#version = version;
    for (const listener of this.#listeners) listener();
    return { kind: "changed", card, version };
  }
}

function cardOf(token: string): string {
  return Buffer.from(denyHash(token)).toString("hex");
}
