/**
 * Makes sure that nothing in a world asks the real machine for time, chance or a later turn: while a world runs, each of
 * these throws.
 */
/** Frames of an error's stack in a world: thousands are thrown and caught as a matter of course. */
const STACK_FRAMES = 6;

const NAMES = ["setTimeout", "setInterval", "setImmediate", "queueMicrotask"] as const;

export function withoutRealTime<Result>(work: () => Result): Result {
  const timers = NAMES.map((name) => [name, globalThis[name]] as const);
  const { now } = Date;
  const { random } = Math;
  const { stackTraceLimit } = Error;
  for (const [name] of timers) Object.assign(globalThis, { [name]: forbidden(name) });
  Date.now = forbidden("Date.now");
  Math.random = forbidden("Math.random");
  Error.stackTraceLimit = STACK_FRAMES;
  try {
    return work();
  } finally {
    Error.stackTraceLimit = stackTraceLimit;
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
