/**
 * How long to wait before trying again: grows by a factor to a named maximum, with jitter, so that a hundred
 * terminals that lost the same thing do not come back in the same millisecond.
 */
export type BackOff = {
  readonly firstMs: number;
  readonly factor: number;
  readonly maximumMs: number;
  /** Part of the wait that is random, 0 to 1: 0.5 means plus or minus half. */
  readonly jitter: number;
};

/**
 * The wait in milliseconds before try number `failures + 1`; `failures` is 1 after the first failure.
 * `random` is a number in [0, 1) from the caller. The result never exceeds `maximumMs * (1 + jitter)`.
 */
export function backOffMs(policy: BackOff, failures: number, random: number): number {
  const steps = Math.max(0, failures - 1);
  const plain = Math.min(policy.maximumMs, policy.firstMs * policy.factor ** steps);
  return plain * (1 - policy.jitter + 2 * policy.jitter * random);
}
