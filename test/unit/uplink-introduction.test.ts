import { describe, expect, test } from "vitest";
import type { RecalledSale } from "../../daemon/core/staff.ts";
import {
  MAX_RECALL_PAGES,
  UNANSWERED_ALARM_SENDS,
  type UplinkEvent,
  WINDOW_ROWS,
} from "../../sync/uplink/uplink-step.ts";
import { AUTHORISE, HONOUR, QUERY, REFUND, REVERSE } from "../support/messages.ts";
import {
  arrived,
  arrivedAs,
  connected,
  fired,
  HALF,
  lost,
  offline,
  online,
  onlineAs,
  read,
  readSome,
  row,
  rows,
  run,
  started,
  UP,
  verdict,
  welcome,
} from "../support/uplink-notation.ts";

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
