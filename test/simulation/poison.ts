/**
 * Makes sure that nothing in a world asks the real machine for time, chance or a later turn: while a world runs, each of
 * these throws.
 */
const NAMES = ["setTimeout", "setInterval", "setImmediate", "queueMicrotask"] as const;

export function withoutRealTime<Result>(work: () => Result): Result {
  const timers = NAMES.map((name) => [name, globalThis[name]] as const);
  const { now } = Date;
  const { random } = Math;
  for (const [name] of timers) Object.assign(globalThis, { [name]: forbidden(name) });
  Date.now = forbidden("Date.now");
  Math.random = forbidden("Math.random");
  try {
    return work();
  } finally {
    for (const [name, timer] of timers) Object.assign(globalThis, { [name]: timer });
    Date.now = now;
    Math.random = random;
  }
}

function forbidden(name: string): () => never {
  return () => {
    throw new Error(`${name} was called inside a simulated world`);
  };
}
