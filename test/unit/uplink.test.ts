import { generateKeyPairSync } from "node:crypto";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import type { LedgerRequest } from "../../daemon/core/clearing.ts";
import { Fault } from "../../daemon/core/fault.ts";
import { MemoryMedium, MemoryStore } from "../../sync/store/memory-store.ts";
import type { Broker, BrokerEvents } from "../../sync/uplink/broker.ts";
import { Uplink, type UplinkSettings } from "../../sync/uplink/uplink.ts";
import { STABLE_MS } from "../../sync/uplink/uplink-step.ts";
import { decodeUp, encodeDown } from "../../sync/wire.ts";
import { QUERY } from "../support/messages.ts";

const keys = generateKeyPairSync("ed25519");
const COMMIT = {
  events: [{ kind: "x", atMs: 1 }],
  state: null,
  outbox: [],
  acknowledged: [],
  cardCounters: [],
};

/** Does what the test says, and keeps what the uplink asked of it. */
class ScriptedBroker implements Broker {
  events: BrokerEvents | undefined;
  connects = 0;
  closed = 0;
  readonly sent: string[] = [];

  connect(events: BrokerEvents): void {
    this.connects += 1;
    this.events = events;
  }

  send(bytes: Uint8Array): void {
    const message = decodeUp(bytes);
    if (message.kind === "request") this.sent.push(message.requestId);
  }

  async close(): Promise<void> {
    this.closed += 1;
  }

  letIn(): void {
    this.events?.onConnected();
    this.events?.onPresence(true);
  }

  answer(requestId: string): void {
    const answer = { requestId, key: QUERY.key, outcome: { kind: "pending" } as const };
    this.events?.onMessage(encodeDown("t1", answer, keys.privateKey));
  }
}

function world(change: Partial<UplinkSettings> = {}) {
  const broker = new ScriptedBroker();
  const store = new MemoryStore<{ kind: string; atMs: number }, null>({
    terminal: "t1",
    medium: new MemoryMedium(),
  });
  store.open();
  const told: string[] = [];
  const uplink = new Uplink({
    terminal: "t1",
    ledgerKeys: [keys.publicKey],
    outbox: store,
    broker,
    onAnswer: (answer, requestId) => {
      told.push(`answer ${requestId}`);
      store.append({ ...COMMIT, acknowledged: [answer] });
    },
    onLink: (up) => told.push(up ? "up" : "down"),
    onAlarm: (text) => told.push(`alarm ${text}`),
    random: () => 0.5,
    nowMs: () => 77,
    ...change,
  });
  const put = (id: string, request: LedgerRequest = QUERY): void => {
    store.append({ ...COMMIT, outbox: [{ id, request }] });
  };
  return { broker, store, told, uplink, put };
}

beforeEach(() => {
  vi.useFakeTimers();
});

afterEach(() => {
  vi.useRealTimers();
});

describe("uplink", () => {
  test("sends what waits when the link comes up, and what is announced at once", () => {
    const { broker, told, uplink, put } = world();
    put("r1");
    uplink.start();
    expect(broker.sent).toEqual([]);
    broker.letIn();
    put("r2");
    uplink.notify();
    expect([broker.sent, told, uplink.health()]).toEqual([
      ["r1", "r2"],
      ["up"],
      { linkUp: true, unanswered: 2, rejectedAnswers: 0, duplicateAnswers: 0 },
    ]);
  });

  test("counts what it hands to the broker", () => {
    const { broker, store, uplink, put } = world();
    put("r1");
    uplink.start();
    broker.letIn();
    vi.advanceTimersByTime(3_000);
    expect(store.pending(0, 1)[0]?.sentCount).toBe(2);
  });

  test("a row that an answer brings forth is sent within the same call, after the answer's own effects", () => {
    const { broker, store, uplink, put } = world({
      onAnswer: (answer) => {
        store.append({ ...COMMIT, acknowledged: [answer] });
        if (answer.requestId === "r1") {
          put("r2");
          uplink.notify();
        }
      },
    });
    put("r1");
    uplink.start();
    broker.letIn();
    broker.answer("r1");
    expect(broker.sent).toEqual(["r1", "r2"]);
    broker.answer("r2");
    expect([store.depth(), uplink.health().unanswered]).toEqual([0, 0]);
  });

  test("a request over the limits of the wire goes to the dead letters, the next is sent", () => {
    const { broker, store, told, uplink, put } = world();
    put("x".repeat(300));
    put("r2");
    uplink.start();
    broker.letIn();
    expect(broker.sent).toEqual(["r2"]);
    expect(store.deadLetters().map(({ atMs, reason }) => [atMs, reason])).toEqual([
      [77, expect.stringContaining("longer than")],
    ]);
    expect([store.depth(), told.length]).toEqual([1, 2]);
  });

  test("what is no answer is counted", () => {
    const { broker, told, uplink } = world();
    uplink.start();
    broker.letIn();
    broker.events?.onMessage(new Uint8Array([1, 2, 3]));
    expect([uplink.health().rejectedAnswers, told[1]]).toEqual([
      1,
      expect.stringContaining("wire.malformed"),
    ]);
  });

  test("reconnects by its own timers", () => {
    const troubles: string[] = [];
    const { broker, uplink } = world({ onTrouble: (reason) => troubles.push(reason) });
    uplink.start();
    broker.events?.onLost("first");
    vi.advanceTimersByTime(499);
    expect(broker.connects).toBe(1);
    vi.advanceTimersByTime(1);
    expect(broker.connects).toBe(2);
    broker.letIn();
    vi.advanceTimersByTime(STABLE_MS);
    broker.events?.onLost("second");
    vi.advanceTimersByTime(500);
    expect([broker.connects, troubles]).toEqual([3, ["first", "second"]]);
  });

  test("a listener for trouble is not needed", () => {
    const { broker, uplink } = world();
    uplink.start();
    broker.events?.onLost("x");
    expect(uplink.health().linkUp).toBe(false);
  });

  test("after stop nothing is sent, told or tried", async () => {
    const { broker, told, uplink, put } = world({ onTrouble: (reason) => told.push(reason) });
    uplink.start();
    broker.letIn();
    broker.events?.onLost("x");
    await uplink.stop();
    await uplink.stop();
    put("r1");
    uplink.notify();
    broker.letIn();
    broker.events?.onLost("y");
    vi.advanceTimersByTime(100_000);
    expect([broker.connects, broker.closed, broker.sent, told]).toEqual([1, 1, [], ["up", "x", "down"]]);
  });

  test("a stop from within a callback ends the work at once", async () => {
    let stopped: Promise<void> | undefined;
    const { broker, uplink, put } = world({
      onLink: () => {
        stopped = uplink.stop();
      },
    });
    put("r1");
    uplink.start();
    broker.letIn();
    await stopped;
    expect(broker.sent).toEqual([]);
  });

  test("starts again after a stop, from the outbox", async () => {
    const { broker, uplink, put } = world();
    put("r1");
    uplink.start();
    broker.letIn();
    await uplink.stop();
    uplink.start();
    broker.letIn();
    expect(broker.sent).toEqual(["r1", "r1"]);
  });

  test("a fault of the journal reaches whoever brought the news, and the next news are heard", () => {
    let broken = true;
    const { broker, uplink, put } = world({
      onAnswer: () => {
        if (broken) throw new Fault("journal.unwritable", "full");
      },
    });
    put("r1");
    put("r2");
    uplink.start();
    broker.letIn();
    expect(() => broker.answer("r1")).toThrow(Fault);
    broken = false;
    broker.answer("r2");
    expect(uplink.health().unanswered).toBe(0);
  });

  test("a programmer error while sending or reading is not taken for a bad message", () => {
    const { broker, store, uplink, put } = world({ ledgerKeys: undefined as unknown as [] });
    uplink.start();
    broker.letIn();
    expect(() => broker.answer("r1")).toThrow(TypeError);
    put("r1", { ...QUERY, kind: "authorise" } as LedgerRequest);
    expect(() => uplink.notify()).toThrow(TypeError);
    expect(store.deadLetters()).toEqual([]);
  });

  test.each<[string, Partial<UplinkSettings>]>([
    ["a terminal id that is no topic level", { terminal: "a/b" }],
  ])("refuses to start with %s", (_what, change) => {
    const { uplink } = world(change);
    expect(() => uplink.start()).toThrow(Fault);
  });

  test("starting twice is a programmer error", () => {
    const { uplink } = world();
    uplink.start();
    expect(() => uplink.start()).toThrow(/started/);
  });
});

test("chance and the clock are the machine's where nobody says otherwise", () => {
  const { broker, store } = world();
  const uplink = new Uplink({
    terminal: "t1",
    ledgerKeys: [],
    outbox: store,
    broker,
    onAnswer: () => undefined,
    onLink: () => undefined,
    onAlarm: () => undefined,
  });
  store.append({ ...COMMIT, outbox: [{ id: "x".repeat(300), request: QUERY }] });
  uplink.start();
  broker.letIn();
  expect(store.deadLetters()[0]?.atMs).toBe(Date.now());
});
