import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  CONNECT_BACK_OFF,
  GATHER_MS,
  GATHERED_ANSWERS,
  INITIAL_UPLINK,
  REFILL_ROWS,
  STABLE_MS,
  UNANSWERED_ALARM_SENDS,
  type UplinkEvent,
  uplinkStep,
  WINDOW_ROWS,
} from "../../sync/uplink/uplink-step.ts";
import {
  announced,
  answer,
  arrived,
  connected,
  fired,
  lost,
  offline,
  online,
  read,
  readSome,
  row,
  rows,
  run,
  started,
  UP,
} from "../support/uplink-notation.ts";

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
