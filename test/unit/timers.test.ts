import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { Timers } from "../../daemon/shell/timers.ts";

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

function bench(speaks: () => boolean = () => false) {
  const fired: string[] = [];
  return { fired, timers: new Timers((id) => fired.push(id), speaks) };
}

describe("the core's timers", () => {
  it("fire once, with their id", () => {
    const { fired, timers } = bench();
    timers.start("sale", "a", "card", 1_000);
    vi.advanceTimersByTime(999);
    expect(fired).toEqual([]);
    vi.advanceTimersByTime(10_000);
    expect(fired).toEqual(["a"]);
  });

  it("are replaced by a new one of their name and leave others alone", () => {
    const { fired, timers } = bench();
    timers.start("sale", "a", "card", 1_000);
    timers.start("settle", "s", "settle", 1_000);
    timers.start("sale", "b", "answer", 2_000);
    vi.advanceTimersByTime(5_000);
    expect(fired).toEqual(["s", "b"]);
  });

  it("end when cancelled or stopped", () => {
    const { fired, timers } = bench();
    timers.start("sale", "a", "card", 1_000);
    timers.cancel("sale");
    timers.start("settle", "s", "settle", 1_000);
    timers.stop();
    vi.advanceTimersByTime(5_000);
    expect(fired).toEqual([]);
  });

  it("wait for someone who is speaking, and only those that ask for input", () => {
    let speaks = true;
    const { fired, timers } = bench(() => speaks);
    timers.start("sale", "silence", "no-input", 1_000);
    timers.start("settle", "money", "settle", 1_000);
    vi.advanceTimersByTime(5_000);
    expect(fired).toEqual(["money"]);
    speaks = false;
    vi.advanceTimersByTime(1_000);
    expect(fired).toEqual(["money", "silence"]);
  });

  it("do not wait for ever in a room that is never quiet", () => {
    const { fired, timers } = bench(() => true);
    timers.start("sale", "silence", "no-input", 8_000);
    vi.advanceTimersByTime(60_000);
    expect(fired).toEqual([]);
    vi.advanceTimersByTime(10_000);
    expect(fired).toEqual(["silence"]);
  });
});
