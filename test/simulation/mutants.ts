/**
 * Planted mistakes in the rules about money, each put in by wrapping one port of the real code (seams.ts). A simulator
 * that does not catch every one of them within a few hundred seeds proves nothing.
 */
import type { LedgerOutcome, LedgerRequest } from "../../daemon/core/clearing.ts";
import type { Journal } from "../../daemon/shell/interpreter.ts";
import type { NewCharge } from "../../sync/ledger/storage.ts";
import { decodeDown } from "../../sync/wire.ts";
import type { SimCommit } from "./machine.ts";
import type { Seams } from "./seams.ts";

export type Mutant = {
  readonly name: string;
  /** What the program does wrong. */
  readonly mistake: string;
  /** Fresh for every world, because some remember. */
  readonly seams: () => Seams;
};

type Authorise = Extract<LedgerRequest, { kind: "authorise" }>;

/** A journal that changes what is written. */
function rewriting(journal: Journal, change: (commit: SimCommit) => SimCommit): Journal {
  return { lastCounter: journal.lastCounter, append: (commit) => journal.append(change(commit)) };
}

export const MUTANTS: readonly Mutant[] = [
  {
    name: "acts-before-persist",
    mistake: "speaks and prints first, writes the journal a moment later",
    seams: () => ({
      journal: (journal, { after }) => ({
        lastCounter: journal.lastCounter,
        append: (commit) => {
          after(1, () => journal.append(commit));
          return 0;
        },
      }),
    }),
  },
  {
    name: "loses-the-unsynced-tail",
    mistake: "returns from a write before it is synced: a power cut takes the last ones back",
    seams: () => ({
      journal: (journal) => rewriting(journal, (commit) => ({ ...commit, synced: false })),
    }),
  },
  {
    name: "makes-a-new-key-on-retry",
    mistake: "authorises an unanswered charge again under a new key instead of asking for it",
    seams: () => ({
      journal: (journal) => {
        const asked = new Map<string, Authorise>();
        return rewriting(journal, (commit) => ({
          ...commit,
          outbox: commit.outbox.map((row) => {
            const { request } = row;
            if (request.kind === "authorise") asked.set(request.key, request);
            const charge = asked.get(request.key);
            if (request.kind !== "query" || charge === undefined) return row;
            const key = `${request.saleId}/9`;
            return { id: `${key}:authorise`, request: { ...charge, key } };
          }),
        }));
      },
    }),
  },
  {
    name: "forgets-the-reversal",
    mistake: "gives a charge up without asking to take it back",
    seams: () => ({
      journal: (journal) =>
        rewriting(journal, (commit) => {
          const outbox = commit.outbox.filter(({ request }) => request.kind !== "reverse");
          const openCharges = commit.state.openCharges.filter(({ purpose }) => purpose !== "reversal");
          return { ...commit, outbox, state: { ...commit.state, openCharges } };
        }),
    }),
  },
  {
    name: "forgets-what-is-open",
    mistake: "does not keep offline sales that wait for the ledger over a restart",
    seams: () => ({
      journal: (journal) =>
        rewriting(journal, (commit) => ({ ...commit, state: { ...commit.state, openCharges: [] } })),
    }),
  },
  {
    name: "never-forwards-offline-sales",
    mistake: "answers an offline success and never puts the sale in the outbox",
    seams: () => ({
      journal: (journal) =>
        rewriting(journal, (commit) => ({
          ...commit,
          outbox: commit.outbox.filter(
            ({ request }) => request.kind !== "authorise" || request.mode === "online",
          ),
        })),
    }),
  },
  {
    name: "empties-the-queue-on-upgrade",
    mistake: "starts a new program with an empty outbox",
    seams: () => ({ upgraded: (medium) => medium.content?.waiting.clear() }),
  },
  {
    name: "trusts-the-brokers-word",
    mistake: "takes a row for done when the broker has it",
    seams: () => ({
      broker: (broker, { answer, decode }) => ({
        ...broker,
        send: (bytes) => {
          broker.send(bytes);
          const row = decode(bytes);
          if (row !== null)
            answer({ requestId: row.requestId, key: row.request.key, outcome: { kind: "pending" } });
        },
      }),
    }),
  },
  {
    name: "trusts-any-answer",
    mistake: "takes an answer without looking at its seal",
    seams: () => ({ open: () => (bytes) => decodeDown(bytes).content }),
  },
  {
    name: "ignores-the-tap-counter",
    mistake: "takes a copied card for a fresh tap, at the terminal and at the ledger",
    seams: () => {
      let counter = 1_000_000;
      return {
        journal: (journal) => ({ append: journal.append, lastCounter: () => null }),
        storage: (meet) => (want) => {
          if (want.operation !== "openCharge") return meet(want);
          const [fresh, nowMs] = want.given;
          counter += 1;
          return meet({ ...want, given: [{ ...fresh, card: { ...fresh.card, counter } }, nowMs] });
        },
      };
    },
  },
  {
    name: "believes-every-card",
    mistake: "approves offline a card whose cryptogram was not verified",
    seams: () => ({ verified: () => true }),
  },
  {
    name: "keeps-the-card-number",
    mistake: "prints the card's number instead of its last four digits",
    seams: () => ({ card: (card, _spoiled, pan) => ({ ...card, masked: pan }) }),
  },
  {
    name: "does-not-mark-copies",
    mistake: "prints a receipt again as if it were the first",
    seams: () => ({
      perform: (perform) => (effect) => {
        if (effect.kind !== "printer.print" || effect.paper.kind !== "receipt") return perform(effect);
        const receipt = { ...effect.paper.receipt, copy: false };
        perform({ ...effect, paper: { kind: "receipt", receipt } });
      },
    }),
  },
  {
    name: "forgets-dedupe",
    mistake: "the ledger does not recognise a key that it has seen",
    seams: () => {
      const seen = new Map<string, number>();
      return {
        storage: (meet) => (want) => {
          if (want.operation !== "openCharge") return meet(want);
          const [fresh, nowMs] = want.given;
          const times = (seen.get(fresh.key) ?? 0) + 1;
          seen.set(fresh.key, times);
          if (times === 1) return meet(want);
          const { card } = fresh;
          const again: NewCharge = {
            ...fresh,
            key: `${fresh.key}~${times}`,
            card: { ...card, counter: card.counter + 1_000 * times },
          };
          return meet({ ...want, given: [again, nowMs] });
        },
      };
    },
  },
  {
    name: "acknowledges-before-commit",
    mistake: "the ledger answers an authorisation before anything is stored",
    seams: () => ({
      received: ({ request }, answer) => {
        if (request.kind === "authorise") answer(approved(request));
      },
    }),
  },
  {
    name: "answers-approved-on-pending",
    mistake: "the ledger takes an undecided charge for an approved one",
    seams: () => ({
      reply: (outcome, { request }) =>
        outcome.kind === "pending" && request.kind === "authorise" ? approved(request) : outcome,
    }),
  },
  {
    name: "takes-silence-for-a-decline",
    mistake: "the ledger takes a gateway that gives no answer for one that says no",
    seams: () => ({
      gateway:
        (call, { after }) =>
        (want, answer) => {
          call(want, answer);
          if (want.operation === "authorise")
            after(5_000, () => answer({ kind: "failure", reason: "not-honoured" }));
        },
    }),
  },
  {
    name: "takes-nonsense-for-a-decline",
    mistake: "the ledger takes an answer that it does not understand for a no",
    seams: () => ({
      gateway: (call) => (want, answer) =>
        call(want, (result) => {
          const known = ["success", "failure", "pending", "reversed", "not-found"];
          const { kind } = result as { readonly kind: string };
          answer(known.includes(kind) ? result : { kind: "failure", reason: "not-honoured", note: "" });
        }),
    }),
  },
  {
    name: "retries-under-a-new-gateway-key",
    mistake: "the ledger sends a charge again under another key than before",
    seams: () => {
      const sent = new Map<string, number>();
      return {
        gateway: (call) => (want, answer) => {
          if (want.operation !== "authorise") return call(want, answer);
          const { gatewayKey } = want.order;
          const times = (sent.get(gatewayKey) ?? 0) + 1;
          sent.set(gatewayKey, times);
          const key = times === 1 ? gatewayKey : `${gatewayKey}-${times}`;
          call({ ...want, order: { ...want.order, gatewayKey: key } }, answer);
        },
      };
    },
  },
  {
    name: "sends-again-at-once",
    mistake: "the ledger sends a charge that the gateway does not know while the first call is on its way",
    seams: () => ({
      gateway:
        (call, { after }) =>
        (want, answer) => {
          call(want, answer);
          if (want.operation === "authorise") after(3_000, () => call(want, answer));
        },
    }),
  },
  {
    name: "applies-a-refund-twice",
    mistake: "the ledger asks again for a refund under a new refund key",
    seams: () => ({
      gateway:
        (call, { uuid }) =>
        (want, answer) => {
          if (want.operation !== "refund") return call(want, answer);
          const refundKey = `${want.order.refundKey}-${uuid()}`;
          call({ ...want, order: { ...want.order, refundKey } }, answer);
        },
    }),
  },
  {
    name: "refunds-without-reservation",
    mistake: "the ledger looks only at refunds that are done when it is asked for another",
    seams: () => ({
      storage:
        (meet, { books }) =>
        (want) => {
          if (want.operation !== "openRefund") return meet(want);
          const hidden = new Map(books.refundsByCharge);
          books.refundsByCharge.clear();
          const answer = meet(want);
          for (const [charge, refunds] of hidden)
            books.refundsByCharge.set(charge, [...refunds, ...(books.refundsByCharge.get(charge) ?? [])]);
          return answer;
        },
    }),
  },
  {
    name: "forgets-tombstones",
    mistake: "the ledger forgets that a key was reversed before its authorisation came",
    seams: () => ({
      storage: (meet) => (want) => (want.operation === "entomb" ? true : meet(want)),
    }),
  },
  {
    name: "reads-stale-charges",
    mistake: "the ledger goes on from the state in which it first saw a charge",
    seams: () => {
      const first = new Map<string, unknown>();
      return {
        storage: (meet) => (want) => {
          if (want.operation !== "find") return meet(want);
          const name = want.given.join("\n");
          const found = first.get(name) ?? meet(want);
          if (found !== undefined) first.set(name, found);
          return found;
        },
      };
    },
  },
  {
    name: "orders-by-clock",
    mistake: "the ledger numbers sales by the terminal's clock",
    seams: () => ({
      request: (message) => {
        const { request } = message;
        if (request.kind !== "authorise") return message;
        return { ...message, request: { ...request, sequence: Math.floor(request.timeMs / 1_000) } };
      },
    }),
  },
];

function approved({ amount }: Authorise): LedgerOutcome {
  return { kind: "approved", authorisation: "HASTE", gateway: "bank", amount };
}
