/** The ear with a scripted voice detector and an acoustic model that spells: what is emitted, when, and what never is. */
import { fileURLToPath } from "node:url";
import { beforeEach, describe, expect, it } from "vitest";
import { Fault } from "../../daemon/core/fault.ts";
import { readMenu } from "../../daemon/menu-file.ts";
import { Hearing, type HearingParts, type Understand } from "../../models/hearing/hearing.ts";
import { DEFAULT_COMPRESSION } from "../../models/hearing/log-mel.ts";
import type { AcousticModel } from "../../models/hearing/recogniser.ts";
import type { DialogueContext, HearingEvent } from "../../models/model.ts";
import { spelledSpeech, testAlphabet } from "../support/spelled-speech.ts";

const menu = readMenu(fileURLToPath(new URL("../../daemon/menu.example.yaml", import.meta.url)));
const ORDER: DialogueContext = { expectation: "order", lines: [] };
const VOICE = new Int16Array(320).fill(1_000);
const QUIET = new Int16Array(320);

let spoken = "";
let runs = 0;
let failing = false;
let events: HearingEvent[] = [];
let hearing: Hearing;

const model: AcousticModel = {
  alphabet: testAlphabet,
  folder: { compression: DEFAULT_COMPRESSION, frameStrideMs: 20 },
  async run(_features, wanted = () => true) {
    if (!wanted()) return null;
    if (failing) throw new Fault("model.failed", "out of memory");
    runs += 1;
    const { logProbs, frames } = spelledSpeech(spoken);
    return { data: logProbs, frames };
  },
  close: async () => {},
};

const parts: HearingParts = {
  openModel: async () => model,
  openDetector: async () => ({ tick: async (samples) => (samples[0] ?? 0) > 0, close: async () => {} }),
  nowMs: () => performance.now(),
};

/** Understands whatever was heard well. */
const understand: Understand = ([best]) =>
  (best?.confidence ?? 0) < 0.75 ? null : { intent: { kind: "confirm" }, confidence: 0.9 };

beforeEach(async () => {
  [spoken, runs, failing, events] = ["아메리카노 두 잔 주세요", 0, false, []];
  const settings = { modelDirectory: "", language: "ko", menu, endpointing: "default", threads: 1 } as const;
  hearing = new Hearing(settings, understand, (event) => events.push(event), parts);
  await hearing.open();
});

/** "v300" is 300 ms of voice, "s300" of silence; frames are worked on one by one, as they come from a microphone. */
async function play(script: string): Promise<void> {
  for (const part of script.split(" ")) {
    for (let ms = 0; ms < Number(part.slice(1)); ms += 20) {
      hearing.command({ kind: "frame", pcm: part.startsWith("v") ? VOICE : QUIET });
      await hearing.settled();
    }
  }
  await new Promise((resolve) => setImmediate(resolve));
}

const kinds = () => events.map((event) => event.kind);

describe("a turn", () => {
  it("is told as it begins, as it goes on and when it is over", async () => {
    hearing.command({ kind: "listen", context: ORDER });
    await play("s500 v1200 s800");
    expect(kinds()).toEqual(["speech-started", "partial", "heard"]);
    expect(events.at(-1)).toMatchObject({
      transcript: "아메리카노 두 잔 주세요",
      turn: { language: "ko", intent: { kind: "confirm" }, confidence: 0.9 },
      timings: { speechMs: 1_200, endpointingMs: 700 },
    });
  });

  it("costs nothing after the pause, because recognition began in it", async () => {
    hearing.command({ kind: "listen", context: ORDER });
    await play("s500 v600 s680");
    const before = runs;
    await play("s40");
    expect(runs).toBe(before);
    expect(kinds()).toContain("heard");
  });

  it("is recognised again when the speaker goes on after a pause", async () => {
    hearing.command({ kind: "listen", context: ORDER });
    await play("s500 v400 s300");
    spoken = "아메리카노 두 잔이랑 생수 하나 주세요";
    await play("v400 s800");
    expect(events.at(-1)).toMatchObject({
      kind: "heard",
      transcript: "아메리카노 두 잔이랑 생수 하나 주세요",
    });
  });

  it("may be a yes of an eighth of a second", async () => {
    spoken = "네";
    hearing.command({ kind: "listen", context: { expectation: "confirmation", lines: [] } });
    await play("s500 v120 s500");
    expect(kinds()).toEqual(["speech-started", "heard"]);
  });

  it("closes the ear", async () => {
    hearing.command({ kind: "listen", context: ORDER });
    await play("s500 v600 s800 v600 s800");
    expect(kinds().filter((kind) => kind === "heard")).toHaveLength(1);
    hearing.command({ kind: "listen", context: ORDER });
    await play("s100 v600 s800");
    expect(kinds().filter((kind) => kind === "heard")).toHaveLength(2);
  });

  it("that means nothing to the menu is told as not understood", async () => {
    spoken = "텔레비전 프로그램";
    hearing.command({ kind: "listen", context: ORDER });
    await play("s500 v900 s800");
    expect(kinds().at(-1)).toBe("not-understood");
  });
});

describe("no turn", () => {
  it.each([
    ["a closed ear", false, "v600 s800", "아메리카노 하나"],
    ["silence", true, "s5000", ""],
    ["noise that the detector takes for voice", true, "s500 v3000 s900", ""],
    ["a cough", true, "s500 v200 s900", "ᄏ"],
    ["a click", true, "s500 v40 s900", "네"],
  ])("comes of %s", async (_, open, script, text) => {
    spoken = text;
    if (open) hearing.command({ kind: "listen", context: ORDER });
    await play(script);
    expect(events).toEqual([]);
  });

  it("comes of a turn whose ear was closed in the middle", async () => {
    hearing.command({ kind: "listen", context: ORDER });
    await play("s500 v600 s300");
    hearing.command({ kind: "close-ear" });
    await play("s800");
    expect(kinds()).not.toContain("heard");
  });
});

describe("trouble", () => {
  it("of the model is told, and the ear goes on", async () => {
    failing = true;
    hearing.command({ kind: "listen", context: ORDER });
    await play("s500 v200 s800");
    expect(events).toEqual([{ kind: "fault", code: "model.failed", detail: "out of memory" }]);
    failing = false;
    hearing.command({ kind: "listen", context: ORDER });
    await play("s500 v600 s800");
    expect(kinds()).toContain("heard");
  });

  it("of a frame with the wrong length is told", async () => {
    hearing.command({ kind: "frame", pcm: new Int16Array(100) });
    await hearing.settled();
    expect(events).toMatchObject([{ kind: "fault", code: "audio.no-frames" }]);
  });

  it("of a machine that cannot keep up is told once", async () => {
    for (let i = 0; i < 600; i += 1) hearing.command({ kind: "frame", pcm: QUIET });
    await hearing.settled();
    expect(kinds()).toEqual(["fault"]);
  });
});
