import fc from "fast-check";
import { expect, test } from "vitest";
import type { LedgerRequest } from "../../daemon/core/clearing.ts";
import type { OutboxRow } from "../../sync/store/store.ts";
import {
  INITIAL_UPLINK,
  isLinkUp,
  type UplinkEffect,
  type UplinkEvent,
  type UplinkTimer,
  uplinkStep,
  WINDOW_ROWS,
} from "../../sync/uplink/uplink-step.ts";
import type { GreetingAnswer } from "../../sync/wire.ts";
import { QUERY, REVERSE } from "../support/messages.ts";
import {
  announced,
  connected,
  fired,
  HALF,
  lost,
  offline,
  onlineAs,
  row,
  started,
  verdict,
} from "../support/uplink-notation.ts";

const byPosition = (a: string, b: string): number => Number(a.slice(1)) - Number(b.slice(1));

/**
 * A whole world: an outbox, a line that loses messages and connections, a ledger that answers twice or not at all, verdicts of every kind.
 * Whatever happens, every row is answered exactly once in the end, first sendings are in order, and the window is kept.
 */
test("after any trouble every row is delivered once and in order of first sending", () => {
  const trouble = fc.constantFrom(
    "new row",
    "answer",
    "answer twice",
    "lose",
    "connect",
    "online",
    "offline",
    "resend",
    "stable",
    "new reversal",
    "welcome",
    "welcome",
    "copied",
    "replaced",
    "unknown-terminal",
    "greet",
    "gather",
    "many new rows",
  );
  fc.assert(
    fc.property(fc.array(trouble, { maxLength: 200 }), (troubles) => {
      const outbox: OutboxRow[] = [];
      const atLedger: string[] = [];
      const delivered: string[] = [];
      const done = new Set<string>();
      const sentOnce = new Set<string>();
      let state = INITIAL_UPLINK;
      const armed = new Set<UplinkTimer>();
      let greeted: string | null = null;
      let greetings = 0;
      let everBarred = false;
      const grow = (request: LedgerRequest): void => {
        if (outbox.length < 150) outbox.push(row(outbox.length + 1, request));
      };
      // As in uplink.ts: what an effect brings waits its turn behind the rest of the step.
      const queue: UplinkEvent[] = [];
      const feed = (event: UplinkEvent): void => {
        queue.push(event);
        for (let next = queue.shift(); next !== undefined; next = queue.shift()) {
          const step = uplinkStep(state, next);
          state = step.state;
          expect(state.window.length).toBeLessThanOrEqual(WINDOW_ROWS);
          for (const effect of step.effects) carryOut(effect);
          expect(armed.has("resend")).toBe(state.resendArmed);
          expect(armed.has("gather")).toBe(state.gathered.length > 0);
        }
      };
      const carryOut = (effect: UplinkEffect): void => {
        if (effect.kind === "outbox.read") {
          const { afterPosition, limit } = effect;
          const waiting = outbox.filter((each) => each.position > afterPosition && !done.has(each.id));
          const found = waiting.slice(0, limit);
          queue.push({ kind: "rows.read", rows: found, last: found.length < limit, random: HALF });
        } else if (effect.kind === "row.send") {
          const { row: each } = effect;
          if (!isLinkUp(state)) throw new Error(`${each.id} is sent without a link`);
          if (state.standing.kind === "barred" && each.request.kind !== "query")
            throw new Error(`${each.id} is sent by a barred journal`);
          sentOnce.add(each.id);
          atLedger.push(each.id);
        } else if (effect.kind === "answer.deliver") {
          delivered.push(effect.answer.requestId);
          done.add(effect.answer.requestId);
          // The core asks again at once: a new row is announced while the answer is handed over.
          grow(QUERY);
          queue.push(announced);
        } else if (effect.kind === "greeting.send") greeted = effect.nonce;
        else if (effect.kind === "timer.set") armed.add(effect.timer);
        else if (effect.kind === "timer.clear") armed.delete(effect.timer);
      };
      const answerNext = (): void => {
        const id = atLedger.shift();
        if (id !== undefined)
          feed({
            kind: "answer.arrived",
            answer: { requestId: id, key: QUERY.key, outcome: { kind: "pending" } },
          });
      };
      const fire = (timer: UplinkTimer): void => {
        if (armed.delete(timer)) feed(fired(timer, `g${++greetings}`));
      };
      const judge = (word: GreetingAnswer["verdict"]): void => {
        if (greeted !== null) feed(verdict(word, { nonce: greeted }));
        if (isLinkUp(state) && state.standing.kind === "barred") everBarred = true;
      };
      feed(started);
      for (const what of troubles) {
        if (what === "many new rows") {
          for (let count = 0; count <= WINDOW_ROWS; count += 1) grow(QUERY);
          feed(announced);
        } else if (what === "new row" || what === "new reversal") {
          grow(what === "new row" ? QUERY : REVERSE);
          feed(announced);
        } else if (what === "answer") answerNext();
        else if (what === "answer twice") {
          atLedger.unshift(...atLedger.slice(0, 1));
          answerNext();
          answerNext();
        } else if (what === "lose") {
          atLedger.length = 0;
          feed(lost);
        } else if (what === "connect") feed(connected);
        else if (what === "online") feed(onlineAs(`g${++greetings}`));
        else if (what === "offline") feed(offline);
        else if (what === "resend" || what === "stable" || what === "greet" || what === "gather") fire(what);
        else judge(what);
      }
      // Heal: everything must settle.
      feed(lost);
      atLedger.length = 0;
      expect([...armed]).toEqual(["connect"]);
      feed(connected);
      feed(onlineAs("healed"));
      judge("welcome");
      expect([state.standing.kind, state.heldFrom]).toEqual(["welcome", null]);
      for (let turn = 0; turn < 5_000 && delivered.length < outbox.length; turn += 1) {
        if (atLedger.length === 0) fire(armed.has("gather") ? "gather" : "resend");
        answerNext();
      }
      expect([...delivered].sort()).toEqual(outbox.map(({ id }) => id).sort());
      // What was held back is sent first behind what went out meanwhile; all else is in order.
      const inOrder = outbox.map(({ id }) => id);
      expect(everBarred ? [...sentOnce].sort(byPosition) : [...sentOnce]).toEqual(inOrder);
      expect(armed.has("resend") && state.window.length > 0).toBe(false);
    }),
    { numRuns: 300 },
  );
});
