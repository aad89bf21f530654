/** The staff socket as a file and a line of bytes: who may open it, what it takes, what it refuses, how it ends. */
import { mkdtempSync, rmSync, statSync, writeFileSync } from "node:fs";
import { createConnection, createServer, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { askTerminal, type Received } from "../../daemon/command-line/client.ts";
import type { DeskRequest, Tell } from "../../daemon/shell/staff-desk.ts";
import { type SocketAnswer, StaffSocket } from "../../daemon/staff-socket.ts";
import { until } from "../support/processes.ts";

let folder: string;
let path: string;
let socket: StaffSocket | null = null;
let asked: { request: DeskRequest; tell: Tell; left: boolean }[];

/** A desk that answers nothing by itself. */
const handle = (request: DeskRequest, tell: Tell): (() => void) => {
  const entry = { request, tell, left: false };
  asked.push(entry);
  return () => {
    entry.left = true;
  };
};
const answering = (_: DeskRequest, tell: Tell): (() => void) => {
  tell({ kind: "busy" }, true);
  return () => undefined;
};

async function open(how = handle): Promise<void> {
  socket = new StaffSocket(path, how);
  await socket.start();
}

/** A caller that is not our command. */
class Caller {
  readonly #socket: Socket;
  readonly lines: SocketAnswer[] = [];
  ended = false;

  constructor() {
    this.#socket = createConnection(path);
    this.#socket.on("error", () => undefined);
    this.#socket.on("close", () => {
      this.ended = true;
    });
    const lines = createInterface({ input: this.#socket });
    lines.on("error", () => undefined);
    lines.on("line", (line) => this.lines.push(JSON.parse(line) as SocketAnswer));
  }

  write(text: string): this {
    this.#socket.write(text);
    return this;
  }

  leave(): void {
    this.#socket.destroy();
  }

  async answers(count: number): Promise<readonly SocketAnswer[]> {
    await until(() => this.lines.length >= count, 5_000, `${count} answers`);
    return this.lines;
  }
}

const STATUS = `${JSON.stringify({ kind: "status" })}\n`;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "saypay-staff-"));
  path = join(folder, "staff.sock");
  asked = [];
});

afterEach(async () => {
  await socket?.stop();
  socket = null;
  rmSync(folder, { recursive: true, force: true });
});

describe("the file", () => {
  it("is a socket for the daemon's user only, and the process's own mask stays as it was", async () => {
    const mask = process.umask();
    await open();
    const { mode } = statSync(path);
    expect(mode & 0o777).toBe(0o600);
    expect(process.umask()).toBe(mask);
  });

  it("of a daemon that was killed is taken over", async () => {
    const dead = createServer();
    await new Promise<void>((resolve) => dead.listen(path, resolve));
    // Without unlink, as after SIGKILL.
    await open(answering);
    expect(await askTerminal(path, { kind: "status" }, 0)).toEqual({ kind: "busy" });
    dead.close();
  });

  it("is gone after a stop, and a second stop is harmless", async () => {
    await open();
    await socket?.stop();
    await socket?.stop();
    expect(() => statSync(path)).toThrow(/ENOENT/);
    await expect(askTerminal(path, { kind: "status" }, 0)).rejects.toThrow(/does not run/);
  });

  it.each([
    ["a file that is no socket", () => writeFileSync(path, "precious"), /EADDRINUSE/],
    [
      "a path that is too long for a socket",
      () => {
        path = join(folder, "x".repeat(120), "staff.sock");
      },
      /at most 107 bytes/,
    ],
    [
      "a folder that is not there",
      () => {
        path = join(folder, "missing", "staff.sock");
      },
      /name another folder/,
    ],
  ])("cannot be made over %s, and says so", async (_, prepare, message) => {
    prepare();
    await expect(open()).rejects.toThrow(message);
  });
});

describe("a request", () => {
  it("is one line, and is answered by lines, amounts as decimal strings", async () => {
    await open();
    const caller = new Caller().write('{"kind":"refund","sale":"27",').write('"amount":"4,500"}\n');
    await until(() => asked.length === 1, 5_000, "the request");
    const [entry] = asked;
    expect(entry?.request).toEqual({ kind: "refund", sale: "27", amount: "4,500" });
    entry?.tell({ kind: "staff", sale: null, answer: { kind: "queued", key: "k", linkUp: true } }, false);
    const amount = { minor: 4_500n, currency: "KRW" };
    entry?.tell({ kind: "staff", sale: null, answer: { kind: "refunded", amount } }, true);
    expect(await caller.answers(2)).toEqual([
      {
        answer: { kind: "staff", sale: null, answer: { kind: "queued", key: "k", linkUp: true } },
        last: false,
      },
      {
        answer: {
          kind: "staff",
          sale: null,
          answer: { kind: "refunded", amount: { minor: "4500", currency: "KRW" } },
        },
        last: true,
      },
    ]);
    caller.leave();
  });

  const mistakes: [line: string, detail: RegExp][] = [
    ["hello", /JSON/],
    ["[]", /kind|object/i],
    ['{"kind":"sell"}', /kind/],
    ['{"kind":"void"}', /sale/],
    ['{"kind":"void","sale":""}', /sale/],
    [`{"kind":"void","sale":"${"x".repeat(65)}"}`, /sale/],
    ['{"kind":"sales","limit":0}', /limit/],
    ['{"kind":"sales","limit":501}', /limit/],
    ['{"kind":"sales","limit":1.5}', /limit/],
    ['{"kind":"refund","sale":"1"}', /amount/],
    ['{"kind":"refund","sale":"1","amount":4500}', /amount/],
    ['{"kind":"close-day","language":"fr"}', /language/],
    ['{"kind":"status","sudo":true}', /sudo/],
  ];
  it.each(mistakes)("%j is refused and the next one is taken", async (line, detail) => {
    await open(answering);
    const caller = new Caller().write(`${line}\n\n${STATUS}`);
    const [first, second] = await caller.answers(2);
    expect(first).toMatchObject({
      answer: { kind: "invalid", detail: expect.stringMatching(detail) },
      last: true,
    });
    expect(second).toEqual({ answer: { kind: "busy" }, last: true });
    caller.leave();
  });

  it.each([
    ["with an end", `{"kind":"status","x":"${"x".repeat(4_096)}"}\n`],
    ["without an end", "x".repeat(5_000)],
  ])("that is too long %s is refused and the caller is let go", async (_, text) => {
    await open();
    const caller = new Caller().write(text);
    const [first] = await caller.answers(1);
    expect(first).toMatchObject({ answer: { kind: "invalid" } });
    await until(() => caller.ended, 5_000, "the end of the connection");
    expect(asked).toEqual([]);
  });

  it("while another is under way is told to wait, and may come after it", async () => {
    await open();
    const caller = new Caller().write(STATUS).write(STATUS);
    expect(await caller.answers(1)).toEqual([{ answer: { kind: "busy" }, last: true }]);
    asked[0]?.tell({ kind: "silent" }, true);
    await caller.answers(2);
    caller.write(STATUS);
    await until(() => asked.length === 2, 5_000, "the next request");
    caller.leave();
  });

  it("of a caller that leaves is waited for no more, and answers to it go nowhere", async () => {
    await open();
    const caller = new Caller().write(STATUS);
    await until(() => asked.length === 1, 5_000, "the request");
    caller.leave();
    await until(() => asked[0]?.left === true, 5_000, "the desk to be told");
    asked[0]?.tell({ kind: "silent" }, true);
  });
});

describe("callers", () => {
  it("are at most eight at a time, and the others are told that nothing was taken", async () => {
    await open();
    const callers = Array.from({ length: 12 }, () => new Caller().write(STATUS));
    const refused = (): Caller[] => callers.filter(({ lines, ended }) => lines.length > 0 && ended);
    await until(() => refused().length === 4 && asked.length === 8, 5_000, "all");
    for (const { lines } of refused()) expect(lines).toEqual([{ answer: { kind: "busy" }, last: true }]);
    const [first, ...others] = asked;
    callers.find((caller) => !refused().includes(caller))?.leave();
    await until(() => first?.left === true, 5_000, "room");
    expect(others.every(({ left }) => !left)).toBe(true);
    const waiting = new Caller().write(STATUS);
    await until(() => asked.length === 9, 5_000, "the next request");
    for (const caller of [...callers, waiting]) caller.leave();
  });

  it("hear every answer in order, and a command that may not wait hears the first", async () => {
    const queued = {
      kind: "staff",
      sale: null,
      answer: { kind: "queued", key: "k", linkUp: false },
    } as const;
    const final = { kind: "staff", sale: null, answer: { kind: "not-refunded", reason: "exceeds" } } as const;
    await open((_, tell) => {
      tell(queued, false);
      const timer = setTimeout(() => tell(final, true), 50);
      return () => clearTimeout(timer);
    });
    const heard: Received[] = [];
    const each = (answer: Received): void => {
      heard.push(answer);
    };
    expect(await askTerminal(path, { kind: "status" }, 5_000, each)).toEqual(final);
    expect(heard).toEqual([queued, final]);
    expect(await askTerminal(path, { kind: "status" }, 0)).toEqual(queued);
    expect(await askTerminal(path, { kind: "status" }, 10)).toEqual(queued);
  });

  it("that ask and never read are let go before their answers fill the memory", async () => {
    const long = "x".repeat(100_000);
    await open((_, tell) => {
      tell({ kind: "invalid", detail: long } as never, true);
      return () => undefined;
    });
    const deaf = createConnection(path);
    deaf.on("error", () => undefined);
    let gone = false;
    deaf.on("close", () => {
      gone = true;
    });
    deaf.pause();
    const asking = setInterval(() => deaf.write('{"kind":"status"}\n'.repeat(20)), 5);
    await until(() => gone || deaf.destroyed, 10_000, "the end of the deaf caller");
    clearInterval(asking);
  });

  it("that wait when the daemon stops learn that it has gone", async () => {
    await open();
    const waiting = askTerminal(path, { kind: "status" }, 0);
    await until(() => asked.length === 1, 5_000, "the request");
    await Promise.all([expect(waiting).rejects.toThrow(/no answer/), socket?.stop()]);
    await until(() => asked[0]?.left === true, 5_000, "the desk to be told");
  });
});
