/**
 * The card reader at the counter: armed or not, which survives a restart of its process. A reader that is out of order
 * while a card is awaited is told to the customer once.
 */
import type { CardReaderCommand, CardReaderEvent } from "../../../drivers/driver.ts";
import type { CardProof } from "../../core/clearing.ts";
import type { CardProblem } from "../../core/prompt.ts";
import type { SupervisedChild } from "../supervisor.ts";

export type CardListener = {
  readonly presented: (card: CardProof, verified: boolean) => void;
  readonly rejected: (reason: CardProblem) => void;
  readonly fault: (code: string, detail: string) => void;
};

export class Card {
  readonly #reader: SupervisedChild<CardReaderCommand, CardReaderEvent>;
  readonly #listener: CardListener;
  #armed = false;
  #faultTold = false;

  constructor(reader: SupervisedChild<CardReaderCommand, CardReaderEvent>, listener: CardListener) {
    this.#reader = reader;
    this.#listener = listener;
  }

  start(): void {
    this.#reader.onEvent((event) => this.#noticed(event));
    // Whether it has just started or was lost meanwhile: it has to be told that a card is awaited.
    this.#reader.onState((state) => {
      if (state.kind === "restarting") this.#tellFault();
      if (state.kind !== "running") return;
      this.#faultTold = false;
      if (this.#armed) this.arm();
    });
  }

  arm(): void {
    this.#armed = true;
    this.#reader.command({ kind: "arm" }).catch(() => undefined);
  }

  disarm(): void {
    if (!this.#armed) return;
    this.#armed = false;
    this.#faultTold = false;
    this.#reader.command({ kind: "disarm" }).catch(() => undefined);
  }

  #noticed(event: CardReaderEvent): void {
    switch (event.kind) {
      case "card": {
        if (!this.#armed) return;
        this.#armed = false;
        const { token, masked, counter, verified } = event;
        return this.#listener.presented({ token, masked, counter }, verified);
      }
      case "rejected":
        if (this.#armed) this.#listener.rejected(event.reason);
        return;
      case "fault":
        this.#listener.fault(event.code, event.detail);
        return this.#tellFault();
      case "recovered":
        this.#faultTold = false;
        return;
      case "removed":
        return;
    }
  }

  /** Once: the answer to it arms the reader again, which may fail again. */
  #tellFault(): void {
    if (!this.#armed || this.#faultTold) return;
    this.#faultTold = true;
    this.#listener.rejected("reader-fault");
  }
}
