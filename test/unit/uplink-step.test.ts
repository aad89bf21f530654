import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { LedgerAnswer, LedgerOutcome, LedgerRequest } from "../../daemon/core/clearing.ts";
import type { RecalledSale } from "../../daemon/core/staff.ts";
import type { OutboxRow } from "../../sync/store/store.ts";
import {
  CONNECT_BACK_OFF,
  GATHER_MS,
  GATHERED_ANSWERS,
  INITIAL_UPLINK,
  isLinkUp,
  MAX_RECALL_PAGES,
  REFILL_ROWS,
  STABLE_MS,
  UNANSWERED_ALARM_SENDS,
  type UplinkEffect,
  type UplinkEvent,
  type UplinkState,
  type UplinkTimer,
  uplinkStep,
  WINDOW_ROWS,
} from "../../sync/uplink/uplink-step.ts";
import type { GreetingAnswer } from "../../sync/wire.ts";
import { AUTHORISE, HONOUR, QUERY, REFUND, REVERSE } from "../support/messages.ts";

const HALF = 0.5;

function row(position: number, request: LedgerRequest = QUERY): OutboxRow {
  return { position, id: `r${position}`, request, createdMs: 0, sentCount: 0 };
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
/** The ledger is there; the greeting that follows has this nonce. */
const onlineAs = (id: string): UplinkEvent => ({ kind: "ledger.presence", online: true, random: HALF, id });
const online = onlineAs("n1");
const offline: UplinkEvent = { kind: "ledger.presence", online: false, random: HALF, id: "unused" };
/** The outbox gives these and holds no more. */
const read = (...list: OutboxRow[]): UplinkEvent => ({
  kind: "rows.read",
  rows: list,
  last: true,
  random: HALF,
});
/** The outbox gives these and may hold more. */
const readSome = (...list: OutboxRow[]): UplinkEvent => ({
  kind: "rows.read",
  rows: list,
  last: false,
  random: HALF,
});
const fired = (timer: UplinkTimer, id = "unused"): UplinkEvent => ({
  kind: "timer.fired",
  timer,
  random: HALF,
  id,
});
const verdict = (
  word: GreetingAnswer["verdict"],
  { nonce = "n1", recalling = false, id = "q1" } = {},
): UplinkEvent => ({
  kind: "greeting.answered",
  answer: { kind: "greeted", nonce, verdict: word },
  recalling,
  random: HALF,
  id,
});
const welcome = verdict("welcome");
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
      return `bury ${effect.id} of ${effect.key}`;
    case "greeting.send":
      return `greet ${effect.nonce}`;
    case "recall.send":
      return `recall ${effect.nonce} after ${effect.afterSequence}`;
    case "welcome.report":
      return "welcome";
    case "barred.report":
      return `barred ${effect.reason}`;
    case "recalled.report":
      return `recalled ${effect.sales.map(({ sequence }) => sequence).join(",")} of ${effect.lastSequence}`;
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

const UP = [connected, online, welcome];

describe("what a step does", () => {
  test.each<[string, UplinkEvent[], string[]]>([
    ["start connects and reads the outbox", [started], ["connect", `read ${WINDOW_ROWS} after 0`]],
    ["an empty outbox asks for nothing", [started, read()], []],
    ["rows wait while the broker is away", [started, read(row(1), row(2))], []],
    ["the broker alone is no link", [started, read(row(1)), connected], [`stable in ${STABLE_MS}`]],
    ["an absent ledger is no link", [started, read(row(1)), connected, offline], []],
    [
      "a ledger that is there is greeted before anything is sent",
      [started, read(row(1)), connected, online],
      ["greet n1", "greet in 3000"],
    ],
    ["rows wait until the ledger has answered", [connected, online, read(row(1))], []],
    ["presence without a broker is no link", [started, read(row(1)), online], []],
    [
      "nor does it count for the connection that comes",
      [started, read(row(1)), online, connected],
      [`stable in ${STABLE_MS}`],
    ],
    [
      "the link comes up: all rows go out in order",
      [started, read(row(1), row(2)), ...UP],
      ["clear greet", "welcome", "up", "send r1", "send r2", "resend in 3000"],
    ],
    ["the link comes up with nothing to send", [started, ...UP], ["clear greet", "welcome", "up"]],
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
      [...UP, read(...rows(1, WINDOW_ROWS - 1)), read(...rows(WINDOW_ROWS, WINDOW_ROWS + 5)), announced],
      [],
    ],
    [
      "and are read when there is room",
      [
        ...UP,
        read(...rows(1, WINDOW_ROWS - 1)),
        read(...rows(WINDOW_ROWS, WINDOW_ROWS + 5)),
        ...rows(1, WINDOW_ROWS - REFILL_ROWS).map(({ position }) => arrived(position)),
      ],
      [`read ${WINDOW_ROWS - REFILL_ROWS} after ${WINDOW_ROWS}`],
    ],
    ["a full window reads nothing", [...UP, read(...rows(1, WINDOW_ROWS)), announced], []],
    [
      "one free place is not worth a reading",
      [...UP, readSome(...rows(1, WINDOW_ROWS)), arrived(3)],
      [`gather in ${GATHER_MS}`],
    ],
    [
      "a good many are",
      [
        ...UP,
        readSome(...rows(1, WINDOW_ROWS)),
        ...rows(1, WINDOW_ROWS - REFILL_ROWS).map(({ position }) => arrived(position)),
      ],
      [`read ${WINDOW_ROWS - REFILL_ROWS} after ${WINDOW_ROWS}`],
    ],
    [
      "an outbox that held no more is not read again before something is announced",
      [...UP, read(row(1)), arrived(1)],
      ["deliver r1", "clear resend"],
    ],
    [
      "an announcement in a full window is remembered",
      [
        ...UP,
        read(...rows(1, WINDOW_ROWS)),
        announced,
        ...rows(1, WINDOW_ROWS).map(({ position }) => arrived(position)),
      ],
      [`deliver r${WINDOW_ROWS}`, "clear resend", `read ${WINDOW_ROWS} after ${WINDOW_ROWS}`],
    ],
    ["an answer is delivered once", [...UP, read(row(1)), arrived(1), arrived(1)], []],
    ["an answer to nobody is ignored", [...UP, read(row(1)), arrived(9)], []],
    ["an answer counts before the link is up", [started, read(row(1)), arrived(1)], ["deliver r1"]],
    [
      "a refusal is delivered and alarmed",
      [...UP, read(row(1)), arrived(1, { kind: "refused", reason: "invalid" })],
      ["deliver r1", "alarm", "clear resend"],
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
      [...UP, readSome(row(1), row(2)), { kind: "row.unsendable", id: "r1", key: "k", reason: "x" }],
      ["bury r1 of k", "alarm", `read ${WINDOW_ROWS - 1} after 2`],
    ],
    [
      "a lost broker is retried, timers end",
      [...UP, read(row(1)), lost],
      ["down", "clear resend", "clear stable", "connect in 500"],
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
      [...UP, read(row(1), row(2)), arrived(1), lost, ...UP],
      ["clear greet", "welcome", "up", "send r2", "resend in 3000"],
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
        { kind: "row.unsendable", id: "r1", key: "k", reason: "x" },
        { kind: "row.unsendable", id: "r2", key: "k", reason: "x" },
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

describe("answers while many rows wait", () => {
  const catchingUp = [...UP, readSome(...rows(1, WINDOW_ROWS))];
  const answers = (from: number, to: number): UplinkEvent[] =>
    rows(from, to).map(({ position }) => arrived(position));
  const delivered = (from: number, to: number): string[] =>
    rows(from, to).map(({ position }) => `deliver r${position}`);
  const beyond = WINDOW_ROWS - REFILL_ROWS + 1;

  test.each<[string, UplinkEvent[], string[]]>([
    ["are kept to be delivered together", [...catchingUp, arrived(1), arrived(2)], []],
    [
      "are delivered after a while",
      [...catchingUp, arrived(2), arrived(1), fired("gather")],
      ["clear gather", "deliver r2", "deliver r1"],
    ],
    [
      "are delivered when few rows are left to be answered",
      [...catchingUp, read(), ...answers(1, beyond)],
      ["clear gather", ...delivered(1, beyond)],
    ],
    [
      "one at a time from then on",
      [...catchingUp, read(), ...answers(1, beyond + 1)],
      [`deliver r${beyond + 1}`],
    ],
    [
      "are delivered when the connection is lost",
      [...catchingUp, arrived(1), lost],
      ["clear gather", "deliver r1", "down", "clear resend", "clear stable", "connect in 500"],
    ],
    [
      "are delivered when the ledger goes",
      [...catchingUp, arrived(1), offline],
      ["clear gather", "deliver r1", "down", "clear resend"],
    ],
    ["a timer that fires late finds nothing to deliver", [...UP, fired("gather")], []],
    [
      "an answer that came twice is kept once",
      [...catchingUp, arrived(1), arrived(1), fired("gather")],
      ["clear gather", "deliver r1"],
    ],
  ])("%s", (_what, events, effects) => {
    expect(run(events).last).toEqual(effects);
  });

  test("are delivered when there are enough of them", () => {
    let state = run(UP).state;
    const batches: number[] = [];
    for (let position = 1; batches.length < 2; position += 1) {
      const { state: next } = run([readSome(...rows(position, position + WINDOW_ROWS - 1))], state);
      const step = run([arrived(position)], next);
      state = step.state;
      const count = step.last.filter((effect) => effect.startsWith("deliver")).length;
      if (count > 0) batches.push(count);
    }
    expect(batches).toEqual([GATHERED_ANSWERS, GATHERED_ANSWERS]);
  });
});

describe("the greeting", () => {
  const greeted = [connected, online];

  test.each<[string, UplinkEvent[], string[]]>([
    [
      "goes out again when no answer comes",
      [...greeted, fired("greet", "n2")],
      ["greet n1", "greet in 6000"],
    ],
    [
      "a late answer to it still counts, because it has one nonce however often it is sent",
      [...greeted, fired("greet", "n2"), welcome],
      ["clear greet", "welcome", "up"],
    ],
    [
      "a ledger that never answers is alarmed",
      [...greeted, ...Array(UNANSWERED_ALARM_SENDS - 1).fill(fired("greet"))],
      ["greet n1", "greet in 60000", "alarm"],
    ],
    ["a second answer changes nothing", [...UP, welcome], []],
    ["nor does a later one to the same nonce", [...UP, verdict("copied")], []],
    ["an answer to another nonce changes nothing", [...greeted, verdict("welcome", { nonce: "old" })], []],
    ["an answer to nothing changes nothing", [welcome], []],
    [
      "an answer to the greeting of the connection before changes nothing",
      [...greeted, lost, connected, onlineAs("n2"), welcome],
      [],
    ],
    ["a lost connection forgets it", [...greeted, lost], ["clear greet", "clear stable", "connect in 500"]],
    ["so does an absent ledger", [...greeted, offline], ["clear greet"]],
    ["every link begins with one", [...UP, offline, onlineAs("n2")], ["greet n2", "greet in 3000"]],
    [
      "a barred journal: the reason before the link, asked again in a minute",
      [...greeted, verdict("copied")],
      ["barred copied", "up", "greet in 60000"],
    ],
    [
      "the same reason again is not told again, and asked for more slowly",
      [...greeted, verdict("copied"), fired("greet", "n2"), verdict("copied", { nonce: "n2" })],
      ["greet in 120000"],
    ],
    [
      "another reason is told",
      [...greeted, verdict("copied"), fired("greet", "n2"), verdict("replaced", { nonce: "n2" })],
      ["barred replaced", "greet in 120000"],
    ],
    [
      "asking again has a nonce of its own",
      [...greeted, verdict("copied"), fired("greet", "n2")],
      ["greet n2", "greet in 3000"],
    ],
    [
      "the waits have an end",
      [
        ...greeted,
        ...[1, 2, 3, 4, 5, 6].flatMap((turn) => [
          verdict("copied", { nonce: `n${turn}` }),
          fired("greet", `n${turn + 1}`),
        ]),
        verdict("copied", { nonce: "n7" }),
      ],
      ["greet in 900000"],
    ],
    [
      "a barred journal is accepted later: the link stays up",
      [...greeted, verdict("copied"), fired("greet", "n2"), verdict("welcome", { nonce: "n2" })],
      ["clear greet", "welcome"],
    ],
    ["a barred link that goes down", [...greeted, verdict("copied"), offline], ["down", "clear greet"]],
    [
      "a terminal that the ledger does not know: no link, an alarm, asked again",
      [...greeted, read(row(1)), verdict("unknown-terminal")],
      ["alarm", "greet in 60000"],
    ],
    [
      "nothing is sent to a ledger that does not know the terminal",
      [...greeted, verdict("unknown-terminal"), read(row(1))],
      [],
    ],
    [
      "until it does",
      [
        ...greeted,
        read(row(1)),
        verdict("unknown-terminal"),
        fired("greet", "n2"),
        verdict("welcome", { nonce: "n2" }),
      ],
      ["clear greet", "welcome", "up", "send r1", "resend in 3000"],
    ],
    [
      "a barred journal of a terminal that is taken out of the settings",
      [
        ...greeted,
        read(row(1)),
        verdict("copied"),
        fired("greet", "n2"),
        verdict("unknown-terminal", { nonce: "n2" }),
      ],
      ["down", "clear resend", "alarm", "greet in 120000"],
    ],
    [
      "without rows on their way",
      [...greeted, verdict("copied"), fired("greet", "n2"), verdict("unknown-terminal", { nonce: "n2" })],
      ["down", "alarm", "greet in 120000"],
    ],
  ])("%s", (_what, events, effects) => {
    expect(run(events).last).toEqual(effects);
  });

  test("answers to no greeting are counted", () => {
    expect(run([...UP, welcome, verdict("copied", { nonce: "x" })]).state.duplicates).toBe(2);
  });
});

describe("a barred journal", () => {
  const charges = [row(1, AUTHORISE), row(2, QUERY), row(3, HONOUR)];
  const mixed = [row(1, AUTHORISE), row(2, REVERSE), row(3, QUERY), row(4, REFUND), row(5, HONOUR)];
  const barred = [connected, online, verdict("restored")];

  test.each<[string, UplinkEvent[], string[]]>([
    ["says what it sold", [...barred, read(...charges)], ["send r1", "send r2", "send r3", "resend in 3000"]],
    ["takes nothing back", [...barred, read(...mixed)], ["send r1", "send r3", "send r5", "resend in 3000"]],
    [
      "nor what had been read before the verdict",
      [started, read(...mixed), ...barred],
      [
        "barred restored",
        "up",
        "send r1",
        "send r3",
        "send r5",
        "resend in 3000",
        `read ${WINDOW_ROWS - 3} after 5`,
        "greet in 60000",
      ],
    ],
    [
      "a stretch of rows that are held back does not keep those behind it",
      [...barred, readSome(...rows(1, WINDOW_ROWS).map(({ position }) => row(position, REVERSE)))],
      [`read ${WINDOW_ROWS} after ${WINDOW_ROWS}`],
    ],
    [
      "welcome again: from the first row that was held back on, everything is read again",
      [...barred, read(...mixed), fired("greet", "n2"), verdict("welcome", { nonce: "n2" })],
      ["clear greet", "welcome", `read ${WINDOW_ROWS - 1} after 1`],
    ],
    [
      "and sent in order",
      [
        ...barred,
        read(...mixed),
        fired("greet", "n2"),
        verdict("welcome", { nonce: "n2" }),
        read(...mixed.slice(1)),
      ],
      ["send r2", "send r3", "send r4", "send r5"],
    ],
    [
      "welcome on the next connection: the same",
      [...barred, read(...mixed), lost, ...UP],
      ["clear greet", "welcome", "up", "send r1", "resend in 3000", `read ${WINDOW_ROWS - 1} after 1`],
    ],
    [
      "barred again on the next connection: held back still",
      [...barred, read(...mixed), arrivedAs(mixed[0]), lost, ...barred],
      ["barred restored", "up", "send r3", "send r5", "resend in 3000", "greet in 120000"],
    ],
  ])("%s", (_what, events, effects) => {
    expect(run(events).last).toEqual(effects);
  });

  test("what was answered meanwhile and is not delivered yet is not sent again", () => {
    const queue = [row(1, REVERSE), ...rows(2, WINDOW_ROWS + 1)];
    const welcomed = [fired("greet", "n2"), verdict("welcome", { nonce: "n2" })];
    const step = run([
      ...barred,
      readSome(...queue),
      readSome(row(WINDOW_ROWS + 1)),
      arrived(3),
      ...welcomed,
    ]);
    expect(step.last).toEqual(["clear greet", "welcome", `read ${WINDOW_ROWS} after 0`]);
    expect(run([read(...queue.slice(0, 4))], step.state).last).toEqual(["send r1", "send r2", "send r4"]);
  });

  test("the first row that was held back is remembered over connections", () => {
    const { state } = run([...barred, read(...mixed), lost, read(row(6, REFUND)), ...barred]);
    expect([state.heldFrom, state.window.map((waiting) => waiting.row.position)]).toEqual([2, [1, 3, 5]]);
  });
});

/** The answer to a row, under the row's own key. */
function arrivedAs(each: OutboxRow | undefined): UplinkEvent {
  if (each === undefined) throw new Error("no such row");
  const outcome = { kind: "pending" } as const;
  return { kind: "answer.arrived", answer: { requestId: each.id, key: each.request.key, outcome } };
}

describe("a recall", () => {
  const sale = (sequence: number): RecalledSale => ({
    saleId: `s${sequence}`,
    sequence,
    key: `s${sequence}/1`,
    amount: { minor: 1n, currency: "KRW" },
    state: "approved",
    refundedMinor: 0n,
    timeMs: 1,
  });
  const page = (
    sequences: number[],
    { nonce = "q1", id = "q2", more = false, lastSequence = 9 } = {},
  ): UplinkEvent => ({
    kind: "recall.answered",
    answer: { kind: "recalled", nonce, lastSequence, sales: sequences.map(sale), more },
    random: HALF,
    id,
  });
  const asked = [connected, online, verdict("welcome", { recalling: true })];

  test.each<[string, UplinkEvent[], string[]]>([
    [
      "follows the welcome, while rows go out",
      [started, read(row(1)), ...asked],
      ["clear greet", "welcome", "up", "send r1", "resend in 3000", "recall q1 after 0", "recall in 3000"],
    ],
    ["one page", [...asked, page([1, 2, 2])], ["clear recall", "recalled 1,2,2 of 9"]],
    ["nothing is remembered", [...asked, page([], { lastSequence: 0 })], ["clear recall", "recalled  of 0"]],
    [
      "another page is asked for",
      [...asked, page([1, 4], { more: true })],
      ["recall q2 after 4", "recall in 3000"],
    ],
    [
      "all pages are told at once",
      [...asked, page([1, 4], { more: true }), page([5], { nonce: "q2", lastSequence: 5 })],
      ["clear recall", "recalled 1,4,5 of 5"],
    ],
    [
      "an empty last page",
      [...asked, page([1], { more: true }), page([], { nonce: "q2" })],
      ["clear recall", "recalled 1 of 9"],
    ],
    [
      "a page that came twice counts once",
      [...asked, page([1], { more: true }), page([1], { more: true })],
      [],
    ],
    ["a page that nobody asked for", [...UP, page([1])], []],
    [
      "a page that does not go on from the last one",
      [...asked, page([4], { more: true }), page([4], { nonce: "q2", more: true })],
      ["alarm"],
    ],
    ["is asked for again", [...asked, fired("recall", "q9")], ["recall q1 after 0", "recall in 6000"]],
    [
      "and alarmed",
      [...asked, ...Array(UNANSWERED_ALARM_SENDS - 1).fill(fired("recall"))],
      ["recall q1 after 0", "recall in 60000", "alarm"],
    ],
    ["a timer that fires late finds nothing to do", [...asked, page([1]), fired("recall")], []],
    [
      "a lost connection ends it",
      [...asked, page([1], { more: true }), lost],
      ["down", "clear recall", "clear stable", "connect in 500"],
    ],
    [
      "the next welcome begins it again",
      [...asked, page([1], { more: true }), lost, ...asked],
      ["clear greet", "welcome", "up", "recall q1 after 0", "recall in 3000"],
    ],
    [
      "and what came before does not count twice",
      [...asked, page([1], { more: true }), lost, ...asked, page([1])],
      ["clear recall", "recalled 1 of 9"],
    ],
  ])("%s", (_what, events, effects) => {
    expect(run(events).last).toEqual(effects);
  });

  test("has an end although the ledger always has more", () => {
    let { state } = run(asked);
    let last: string[] = [];
    for (let turn = 1; turn <= MAX_RECALL_PAGES; turn += 1) {
      expect(state.recall).not.toBeNull();
      const from = state;
      ({ state, last } = run([page([turn], { nonce: `q${turn}`, id: `q${turn + 1}`, more: true })], from));
    }
    expect([state.recall, last.map((each) => each.slice(0, 10))]).toEqual([
      null,
      ["clear reca", "recalled 1", "alarm"],
    ]);
  });
});

test("a topic that the broker refuses is alarmed when the count has doubled", () => {
  const refused: UplinkEvent = { kind: "topic.refused", topic: "saypay/v1/t1/deny" };
  expect([1, 2, 3, 4].map((count) => run(Array(count).fill(refused)).last)).toEqual([
    ["alarm"],
    ["alarm"],
    [],
    ["alarm"],
  ]);
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
