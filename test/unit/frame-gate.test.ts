import { expect, it } from "vitest";
import { FrameGate } from "../../drivers/frame-gate.ts";

const FAULT = {
  kind: "fault",
  code: "audio.no-frames",
  detail: "the daemon reads too slowly; frames are dropped",
};

it("frames are dropped when the daemon is two seconds behind, until it has caught up, and both are told once", () => {
  const gate = new FrameGate();
  const life = [
    // unread, sent, told before, dropped so far
    [0, true, null, 0],
    [99, true, null, 0],
    [100, false, FAULT, 1],
    [100, false, null, 2],
    [50, false, null, 3],
    [11, false, null, 4],
    [10, true, { kind: "recovered" }, 0],
    [99, true, null, 0],
    [250, false, FAULT, 1],
  ] as const;
  for (const [unread, send, before, dropped] of life) {
    expect(gate.admit(unread)).toEqual({ send, before });
    expect(gate.dropped).toBe(dropped);
  }
});
