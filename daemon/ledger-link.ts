/**
 * The uplink of one terminal: made from its settings, its journal and its credentials, with every piece of news turned
 * into an event for the core.
 */

import type { Logger } from "pino";
import { MqttBroker } from "../sync/uplink/mqtt-adapter.ts";
import { Uplink } from "../sync/uplink/uplink.ts";
import type { Config } from "./config.ts";
import { isRecalling } from "./core/standing.ts";
import type { JournalKeeper } from "./journal-keeper.ts";
import { readLedgerKeyFile } from "./ledger-key.ts";
import type { Interpreter } from "./shell/interpreter.ts";
import type { Observers } from "./shell/observation.ts";

export type LinkPorts = {
  readonly log: Logger;
  readonly observers: Observers;
  readonly journal: JournalKeeper;
  readonly core: Pick<Interpreter, "deliver" | "ask" | "state">;
};

/** Throws Fault "settings.invalid" when the ledger's key cannot be read. */
export function makeLedgerLink(config: Config, { log, observers, journal, core }: LinkPorts): Uplink {
  const { broker, publicKey, ...credentials } = config.ledger;
  const { terminal } = config;
  return new Uplink({
    terminal,
    ledgerKeys: readLedgerKeyFile(publicKey),
    outbox: journal.store,
    broker: new MqttBroker({ terminal, url: broker, ...credentials }),
    identity: () => journal.store.identity(),
    recalling: () => isRecalling(core.state),
    denyVersion: () => journal.denyVersion,
    onAnswer: (answer) => {
      log.info({ requestId: answer.requestId, outcome: answer.outcome.kind }, "ledger answered");
      core.deliver({ kind: "ledger.answered", answer });
    },
    onLink: (up) => {
      log.info({ up }, "link to the ledger");
      observers.tell({ kind: "link", up });
      core.deliver({ kind: "link.changed", up });
    },
    onWelcome: () => {
      journal.store.markWelcomed();
      // At every connection: only what is news is journalled.
      if (core.state.standing.kind !== "welcome") core.deliver({ kind: "journal.welcomed" });
    },
    onBarred: (reason) => {
      log.error(
        { reason, advice: ADVICE[reason] },
        "the ledger does not accept this journal: nothing is sold",
      );
      core.deliver({ kind: "journal.barred", reason });
    },
    onRecalled: ({ lastSequence, sales }) => {
      log.warn({ lastSequence, sales: sales.length }, "the ledger told what it remembers");
      core.ask(() => ({
        kind: "journal.recalled",
        lastSequence,
        sales: journal.unknownOf(sales, core.state),
      }));
    },
    onDenyList: (list) => {
      journal.keepDenyList(list);
      log.info({ version: list.version, cards: list.count }, "deny list");
    },
    onBuried: (requestId, key, reason) => {
      log.error({ requestId, reason }, "a request can never be sent and is among the dead letters");
      core.deliver({ kind: "request.buried", requestId, key, reason });
    },
    onAlarm: (text) => log.warn({ alarm: text }, "uplink alarm"),
    onTrouble: (reason) => log.debug({ reason }, "no connection to the broker"),
  });
}

const ADVICE = {
  copied:
    "another machine runs with a copy of this journal; switch the copy off, then run `saypay journal adopt` on the one that stays",
  restored:
    "this is an old backup or copy of the journal; put the newest one back (switch this machine off when another runs with it), or run `saypay journal adopt` to go on with what the ledger remembers",
  replaced:
    "the ledger knows another journal of this terminal; put that one back, or run `saypay journal adopt --predecessor ID` with the id that the ledger's alarm names, to go on with what it remembers",
} as const;
