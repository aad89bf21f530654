import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { LedgerAnswer, LedgerOutcome } from "../../daemon/core/clearing.ts";
import type { OutboxRow } from "../../sync/store/store.ts";
import {
  CONNECT_BACK_OFF,
  INITIAL_UPLINK,
  isLinkUp,
  STABLE_MS,
  UNANSWERED_ALARM_SENDS,
  type UplinkEffect,
  type UplinkEvent,
  type UplinkState,
  uplinkStep,
  WINDOW_ROWS,
} from "../../sync/uplink/uplink-step.ts";
import { QUERY } from "../support/messages.ts";

const HALF = 0.5;

function row(position: number): OutboxRow {
  return { position, id: `r${position}`, request: QUERY, createdMs: 0, sentCount: 0 };
}

function rows(from: number, to: number): OutboxRow[] {
  return Array.from({ length: to - from + 1 }, (_, index) => row(from + index));
}

function answer(position: number, outcome: LedgerOutcome = { kind: "pending" }): LedgerAnswer {
  return { requestId: `r${position}`, key: QUERY.key, outcome };
}

const started: UplinkEvent = { kind: "started" };
const announced: UplinkEvent = { kind: "rows.announced" };
const connected: UplinkEvent = { kind: "broker.connected" };
const lost: UplinkEvent = { kind: "broker.lost", random: HALF };
const online: UplinkEvent = { kind: "ledger.presence", online: true, random: HALF };
const offline: UplinkEvent = { kind: "ledger.presence", online: false, random: HALF };
const read = (...list: OutboxRow[]): UplinkEvent => ({ kind: "rows.read", rows: list, random: HALF });
const fired = (timer: "connect" | "resend" | "stable"): UplinkEvent => ({
  kind: "timer.fired",
  timer,
  random: HALF,
});
const arrived = (position: number, outcome?: LedgerOutcome): UplinkEvent => ({
  kind: "answer.arrived",
  answer: answer(position, outcome),
});

/** An effect in one word or two, so that expectations read as a line. */
function short(effect: UplinkEffect): string {
  switch (effect.kind) {
    case "outbox.read":
      return `read ${effect.limit} after ${effect.afterPosition}`;
    case "row.send":
      return `send ${effect.row.id}`;
    case "row.bury":
      return `bury ${effect.id}`;
    case "answer.deliver":
      return `deliver ${effect.answer.requestId}`;
    case "link.report":
      return effect.up ? "up" : "down";
    case "alarm.raise":
      return "alarm";
    case "timer.set":
      return `${effect.timer} in ${effect.afterMs}`;
    case "timer.clear":
      return `clear ${effect.timer}`;
    case "broker.connect":
      return "connect";
  }
}

function run(
  events: readonly UplinkEvent[],
  from: UplinkState = INITIAL_UPLINK,
): { state: UplinkState; last: string[] } {
  let state = from;
  let effects: readonly UplinkEffect[] = [];
  for (const event of events) ({ state, effects } = uplinkStep(state, event));
  return { state, last: effects.map(short) };
}

const UP = [connected, online];

describe("what a step does", () => {
  test.each<[string, UplinkEvent[], string[]]>([
    ["start connects and reads the outbox", [started], ["connect", `read ${WINDOW_ROWS} after 0`]],
    ["an empty outbox asks for nothing", [started, read()], []],
    ["rows wait while the broker is away", [started, read(row(1), row(2))], []],
    ["the broker alone is no link", [started, read(row(1)), connected], [`stable in ${STABLE_MS}`]],
    ["an absent ledger is no link", [started, read(row(1)), connected, offline], []],
    ["presence without a broker is no link", [started, read(row(1)), online], []],
    [
      "nor does it count for the connection that comes",
      [started, read(row(1)), online, connected],
      [`stable in ${STABLE_MS}`],
    ],
    [
      "the link comes up: all rows go out in order",
      [started, read(row(1), row(2)), ...UP],
      ["up", "send r1", "send r2", "resend in 3000"],
    ],
    ["the link comes up with nothing to send", [started, ...UP], ["up"]],
    ["presence that repeats itself changes nothing", [...UP, online], []],
    [
      "new rows are read behind those already in",
      [...UP, read(row(1), row(2)), announced],
      [`read ${WINDOW_ROWS - 2} after 2`],
    ],
    ["a new row goes out at once", [...UP, read(row(1))], ["send r1", "resend in 3000"]],
    ["a second row keeps the running timer", [...UP, read(row(1)), read(row(2))], ["send r2"]],
    [
      "rows that were read twice enter once",
      [...UP, read(row(1), row(2)), read(row(1), row(2), row(3))],
      ["send r3"],
    ],
    [
      "rows that two readings brought too many of wait outside",
      [...UP, read(...rows(1, WINDOW_ROWS - 1)), read(...rows(WINDOW_ROWS, WINDOW_ROWS + 5)), arrived(1)],
      ["deliver r1", `read 1 after ${WINDOW_ROWS}`],
    ],
    ["a full window reads nothing", [...UP, read(...rows(1, WINDOW_ROWS)), announced], []],
    [
      "an answer frees its place",
      [...UP, read(...rows(1, WINDOW_ROWS)), arrived(3)],
      ["deliver r3", `read 1 after ${WINDOW_ROWS}`],
    ],
    [
      "the last answer ends the timer",
      [...UP, read(row(1)), arrived(1)],
      ["deliver r1", "clear resend", `read ${WINDOW_ROWS} after 1`],
    ],
    ["an answer is delivered once", [...UP, read(row(1)), arrived(1), arrived(1)], []],
    ["an answer to nobody is ignored", [...UP, read(row(1)), arrived(9)], []],
    [
      "an answer counts before the link is up",
      [started, read(row(1)), arrived(1)],
      ["deliver r1", `read ${WINDOW_ROWS} after 1`],
    ],
    [
      "a refusal is delivered and alarmed",
      [...UP, read(row(1)), arrived(1, { kind: "refused", reason: "invalid" })],
      ["deliver r1", "alarm", "clear resend", `read ${WINDOW_ROWS} after 1`],
    ],
    [
      "a ledger that does not know the terminal loses nothing: the row stays, alarmed ever more rarely",
      [...UP, read(row(1)), ...Array(2).fill(arrived(1, { kind: "refused", reason: "unknown-terminal" }))],
      ["alarm"],
    ],
    [
      "a third refusal of that kind is no alarm",
      [...UP, read(row(1)), ...Array(3).fill(arrived(1, { kind: "refused", reason: "unknown-terminal" }))],
      [],
    ],
    [
      "a row that cannot be sent is buried",
      [...UP, read(row(1), row(2)), { kind: "row.unsendable", id: "r1", reason: "x" }],
      ["bury r1", "alarm", `read ${WINDOW_ROWS - 1} after 2`],
    ],
    [
      "a lost broker is retried, timers end",
      [...UP, read(row(1)), lost],
      ["down", "clear stable", "clear resend", "connect in 500"],
    ],
    ["a failed attempt is retried", [started, lost], ["connect in 500"]],
    ["each failure waits longer", [started, lost, lost, lost], ["connect in 2000"]],
    ["the wait has an end", [started, ...Array(20).fill(lost)], ["connect in 8000"]],
    [
      "a short connection does not reset the wait",
      [lost, lost, connected, lost],
      ["clear stable", "connect in 2000"],
    ],
    [
      "a lasting connection does",
      [lost, lost, connected, fired("stable"), lost],
      ["clear stable", "connect in 500"],
    ],
    ["the connect timer connects", [started, lost, fired("connect")], ["connect"]],
    ["an absent ledger takes the link down", [...UP, read(row(1)), offline], ["down", "clear resend"]],
    ["an absent ledger without rows", [...UP, offline], ["down"]],
    [
      "back again: what was unanswered goes out again",
      [...UP, read(row(1), row(2)), arrived(1), lost, connected, online],
      ["up", "send r2", "resend in 3000"],
    ],
  ])("%s", (_what, events, effects) => {
    expect(run(events).last).toEqual(effects);
  });
});

describe("answers that stay away", () => {
  const sent = run([...UP, read(row(1), row(2))]).state;

  test("everything from the oldest overdue row on goes out again, each time later", () => {
    const waits: string[] = [];
    let state = sent;
    for (let round = 0; round < 6; round += 1) {
      const step = run([fired("resend")], state);
      expect(step.last.filter((effect) => effect.startsWith("send"))).toEqual(["send r1", "send r2"]);
      waits.push(step.last.at(-1) ?? "");
      state = step.state;
    }
    expect(waits).toEqual([6_000, 12_000, 24_000, 48_000, 60_000, 60_000].map((ms) => `resend in ${ms}`));
  });

  test("a row that was sent during the round waits for a whole one", () => {
    const first = run([arrived(1), arrived(2), read(row(3))], sent);
    expect(first.last).toEqual(["send r3", "resend in 3000"]);
    const second = run([read(row(4)), arrived(3), fired("resend")], first.state);
    expect(second.last).toEqual(["resend in 3000"]);
    expect(run([fired("resend")], second.state).last).toEqual(["send r4", "resend in 6000"]);
  });

  test("rows behind an overdue one go again too, so that the order holds", () => {
    expect(run([read(row(3)), arrived(1), fired("resend")], sent).last).toEqual([
      "send r2",
      "send r3",
      "resend in 6000",
    ]);
  });

  test("an answer shortens the wait again", () => {
    const { state } = run([fired("resend"), fired("resend"), arrived(1)], sent);
    expect(run([fired("resend")], state).last).toEqual(["send r2", "resend in 6000"]);
  });

  test("a timer that fires late finds nothing to do", () => {
    const { state } = run(
      [
        { kind: "row.unsendable", id: "r1", reason: "x" },
        { kind: "row.unsendable", id: "r2", reason: "x" },
      ],
      sent,
    );
    expect(run([fired("resend")], state).last).toEqual([]);
  });

  test("alarms once for each row", () => {
    let state = sent;
    const alarms: number[] = [];
    for (let sends = 2; sends < 12; sends += 1) {
      const step = run([fired("resend")], state);
      alarms.push(step.last.filter((effect) => effect === "alarm").length);
      state = step.state;
    }
    expect(alarms).toEqual(
      Array.from({ length: 10 }, (_, index) => (index + 2 === UNANSWERED_ALARM_SENDS ? 2 : 0)),
    );
  });
});

describe("answers that are none", () => {
  const rejected: UplinkEvent = { kind: "answer.rejected", code: "ledger.signature" };

  test("are counted, and alarm when their number has doubled", () => {
    let state = INITIAL_UPLINK;
    const alarmed: number[] = [];
    for (let count = 1; count <= 70; count += 1) {
      const step = run([rejected], state);
      state = step.state;
      if (step.last.includes("alarm")) alarmed.push(count);
    }
    expect([state.rejected, alarmed]).toEqual([70, [1, 2, 4, 8, 16, 32, 64]]);
  });

  test("an answer under another key does not end the row", () => {
    const step = run([
      ...UP,
      read(row(1)),
      { kind: "answer.arrived", answer: { ...answer(1), key: "other" } },
    ]);
    expect([step.last, step.state.rejected, step.state.window.length]).toEqual([["alarm"], 1, 1]);
  });

  test("duplicates are counted", () => {
    expect(run([...UP, read(row(1)), arrived(1), arrived(1), arrived(7)]).state.duplicates).toBe(2);
  });
});

test("waits stay within their bounds for every random number", () => {
  fc.assert(
    fc.property(
      fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
      fc.nat(40),
      (random, failures) => {
        const { effects } = uplinkStep({ ...INITIAL_UPLINK, failures }, { kind: "broker.lost", random });
        const wait = effects.at(-1);
        if (wait?.kind !== "timer.set") throw new Error("no timer");
        expect(wait.afterMs).toBeGreaterThanOrEqual(CONNECT_BACK_OFF.firstMs / 2);
        expect(wait.afterMs).toBeLessThanOrEqual(CONNECT_BACK_OFF.maximumMs * 1.5);
      },
    ),
  );
});

/**
 * A whole world: an outbox, a line that loses messages and connections, a ledger that answers twice or not at all.
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
  );
  fc.assert(
    fc.property(fc.array(trouble, { maxLength: 200 }), (troubles) => {
      const outbox: OutboxRow[] = [];
      const atLedger: string[] = [];
      const delivered: string[] = [];
      const sentOnce: string[] = [];
      let state = INITIAL_UPLINK;
      let resendArmed = false;
      // As in uplink.ts: what an effect brings waits its turn behind the rest of the step.
      const queue: UplinkEvent[] = [];
      const feed = (event: UplinkEvent): void => {
        queue.push(event);
        for (let next = queue.shift(); next !== undefined; next = queue.shift()) {
          const step = uplinkStep(state, next);
          state = step.state;
          expect(state.window.length).toBeLessThanOrEqual(WINDOW_ROWS);
          for (const effect of step.effects) carryOut(effect);
          expect(resendArmed).toBe(state.resendArmed);
        }
      };
      const carryOut = (effect: UplinkEffect): void => {
        if (effect.kind === "outbox.read") {
          const { afterPosition, limit } = effect;
          const found = outbox.filter((each) => each.position > afterPosition).slice(0, limit);
          queue.push({ kind: "rows.read", rows: found, random: HALF });
        } else if (effect.kind === "row.send") {
          expect(isLinkUp(state)).toBe(true);
          if (!sentOnce.includes(effect.row.id)) sentOnce.push(effect.row.id);
          atLedger.push(effect.row.id);
        } else if (effect.kind === "answer.deliver") {
          delivered.push(effect.answer.requestId);
          // The core asks again at once: a new row is announced while the answer is handed over.
          if (outbox.length < 150) outbox.push(row(outbox.length + 1));
          queue.push(announced);
        } else if (effect.kind === "timer.set" && effect.timer === "resend") resendArmed = true;
        else if (effect.kind === "timer.clear" && effect.timer === "resend") resendArmed = false;
      };
      const answerNext = (): void => {
        const id = atLedger.shift();
        if (id !== undefined)
          feed({
            kind: "answer.arrived",
            answer: { requestId: id, key: QUERY.key, outcome: { kind: "pending" } },
          });
      };
      const resend = (): void => {
        if (!resendArmed) return;
        resendArmed = false;
        feed(fired("resend"));
      };
      feed(started);
      for (const what of troubles) {
        if (what === "new row") {
          outbox.push(row(outbox.length + 1));
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
        else if (what === "online") feed(online);
        else if (what === "offline") feed(offline);
        else if (what === "resend") resend();
        else feed(fired("stable"));
      }
      // Heal: everything must settle.
      feed(lost);
      atLedger.length = 0;
      feed(connected);
      feed(online);
      for (let turn = 0; turn < 5_000 && delivered.length < outbox.length; turn += 1) {
        if (atLedger.length === 0) resend();
        answerNext();
      }
      expect([...delivered].sort()).toEqual(outbox.map(({ id }) => id).sort());
      expect(sentOnce).toEqual(outbox.map(({ id }) => id));
      expect(resendArmed && state.window.length > 0).toBe(false);
    }),
    { numRuns: 300 },
  );
});
