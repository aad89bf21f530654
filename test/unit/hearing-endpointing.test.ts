/** Endpointing as tables: voice and silence in milliseconds in, actions out. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  type Endpointing,
  type EndpointingAction,
  endpointingLimits,
  FRAME_MS,
  INITIAL_ENDPOINTING,
  stepEndpointing,
} from "../../models/hearing/endpointing.ts";

type Limits = ReturnType<typeof endpointingLimits>;

/** "silence 500, voice 300 ..." as frames; returns every action with the time it came at. */
function play(limits: Limits, script: string, opened = 0): { atMs: number; action: EndpointingAction }[] {
  let state: Endpointing = INITIAL_ENDPOINTING;
  const out: { atMs: number; action: EndpointingAction }[] = [];
  const frames = script.split(" ").flatMap((part) => {
    const voiced = part.startsWith("v");
    return Array.from({ length: Number(part.slice(1)) / FRAME_MS }, () => voiced);
  });
  for (const [index, voiced] of frames.entries()) {
    if (index * FRAME_MS === opened) state = stepEndpointing(state, { kind: "opened", limits }).state;
    const step = stepEndpointing(state, { kind: "frame", voiced });
    state = step.state;
    out.push(...step.actions.map((action) => ({ atMs: (index + 1) * FRAME_MS, action })));
  }
  return out;
}

const order = endpointingLimits("default", "order");
const confirmation = endpointingLimits("default", "confirmation");

describe.each([
  ["default order", order, "s1000 v800 s900", "speech-began@1300 suspect-end@1960 turn-ended@2500"],
  [
    "default confirmation",
    confirmation,
    "s1000 v800 s900",
    "speech-began@1160 suspect-end@1960 turn-ended@2200",
  ],
  [
    "aggressive",
    endpointingLimits("aggressive", "order"),
    "s1000 v800 s900",
    "speech-began@1300 suspect-end@1960 turn-ended@2060",
  ],
  [
    "relaxed",
    endpointingLimits("relaxed", "order"),
    "s1000 v800 s1300",
    "speech-began@1300 suspect-end@1960 turn-ended@3060",
  ],
  ["a short yes in an order", order, "s1000 v120 s900", "suspect-end@1280 turn-ended@1820"],
  ["a very short yes to a question", confirmation, "s1000 v60 s500", "suspect-end@1220 turn-ended@1460"],
  ["a click", order, "s1000 v40 s900", ""],
  [
    "a pause inside a sentence",
    order,
    "s1000 v500 s400 v500 s800",
    "speech-began@1300 suspect-end@1660 speech-resumed@1960 suspect-end@2560 turn-ended@3100",
  ],
  [
    "a click in the last pause",
    order,
    "s1000 v500 s300 v40 s400",
    "speech-began@1300 suspect-end@1660 turn-ended@2200",
  ],
  ["silence", order, "s20000", ""],
  ["speech before the ear opens", order, "v900 s300", ""],
] as const)("%s", (_, limits, script, expected) => {
  it(`gives ${expected || "nothing"}`, () => {
    const opened = script.startsWith("v") ? 940 : 0;
    const actions = play(limits, script, opened);
    expect(actions.map(({ atMs, action }) => `${action.kind}@${atMs}`).join(" ")).toBe(expected);
  });
});

it("puts the pre-roll before the first voiced frame and reports its times", () => {
  const ended = play(order, "s1000 v800 s900").find(({ action }) => action.kind === "turn-ended")?.action;
  expect(ended).toEqual({
    kind: "turn-ended",
    fromFrame: (1_000 - order.preRollMs) / FRAME_MS,
    toFrame: 125,
    speechMs: 800,
    endpointingMs: 700,
    reason: "silence",
  });
  expect(order.preRollMs).toBeGreaterThanOrEqual(300);
});

it("ends a turn at 15 s though the voice goes on", () => {
  const ended = play(order, "s100 v16000").find(({ action }) => action.kind === "turn-ended");
  expect(ended?.atMs).toBe(15_100);
  expect(ended?.action).toMatchObject({ reason: "cap" });
});

it("hears someone who is already speaking when the ear opens, with pre-roll", () => {
  const ended = play(order, "s500 v1000 s800", 700).find(
    ({ action }) => action.kind === "turn-ended",
  )?.action;
  expect(ended).toMatchObject({ fromFrame: (700 - order.preRollMs) / FRAME_MS });
});

it("keeps its promises on any sequence of frames", () => {
  fc.assert(
    fc.property(fc.array(fc.boolean(), { maxLength: 1_500 }), (frames) => {
      let state: Endpointing = stepEndpointing(INITIAL_ENDPOINTING, { kind: "opened", limits: order }).state;
      let suspected = false;
      for (const [index, voiced] of frames.entries()) {
        const step = stepEndpointing(state, { kind: "frame", voiced });
        state = step.state;
        expect(state.frame).toBe(index + 1);
        for (const action of step.actions) {
          if (action.kind === "speech-resumed") expect(suspected).toBe(true);
          if ("fromFrame" in action) expect(action.fromFrame).toBeLessThan(action.toFrame);
          suspected = action.kind === "suspect-end" || (suspected && action.kind === "speech-began");
        }
      }
    }),
    { numRuns: 60 },
  );
});
