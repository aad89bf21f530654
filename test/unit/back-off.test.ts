import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type BackOff, backOffMs } from "../../daemon/core/back-off.ts";

const POLICY: BackOff = { firstMs: 75, factor: 3, maximumMs: 10_000, jitter: 1 / 3 };

describe("backOffMs", () => {
  it.each([
    // failures, random, wait
    [0, 0.5, 75],
    [1, 0, 50],
    [1, 0.5, 75],
    [2, 0.5, 225],
    [3, 0.5, 675],
    [6, 0.5, 10_000],
    [1_000_000, 0.5, 10_000],
  ])("after %d failures with random %d waits %d ms", (failures, random, waitMs) => {
    expect(backOffMs(POLICY, failures, random)).toBeCloseTo(waitMs, 6);
  });

  it("never leaves the bounds of its policy", () => {
    const policies = fc.record({
      firstMs: fc.integer({ min: 1, max: 1_000 }),
      factor: fc.integer({ min: 1, max: 10 }),
      maximumMs: fc.integer({ min: 1_000, max: 100_000 }),
      jitter: fc.double({ min: 0, max: 1, noNaN: true }),
    });
    const randoms = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true });
    fc.assert(
      fc.property(policies, fc.nat(), randoms, (policy, failures, random) => {
        const waitMs = backOffMs(policy, failures, random);
        expect(waitMs).toBeGreaterThanOrEqual(policy.firstMs * (1 - policy.jitter) - 1e-6);
        expect(waitMs).toBeLessThanOrEqual(policy.maximumMs * (1 + policy.jitter) + 1e-6);
      }),
    );
  });
});
