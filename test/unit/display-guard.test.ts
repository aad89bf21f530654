/** Who the display's server answers, and what it accepts. */
import { networkInterfaces } from "node:os";
import { describe, expect, it } from "vitest";
import { refusal } from "../../daemon/display/guard.ts";
import { turnBody } from "../../daemon/display/requests.ts";

const LISTENING = "127.0.0.1";
const outside = Object.values(networkInterfaces())
  .flatMap((entries) => entries ?? [])
  .find((entry) => entry.family === "IPv4" && !entry.internal)?.address;

describe("a request", () => {
  const rows: [
    host: string | undefined,
    origin: string | undefined,
    fetchSite: string | undefined,
    welcome: boolean,
  ][] = [
    ["127.0.0.1:8080", undefined, undefined, true],
    ["127.0.0.1:8080", "http://127.0.0.1:8080", "same-origin", true],
    ["127.9.9.9", undefined, "none", true],
    ["localhost:8080", "http://localhost:8080", "same-origin", true],
    ["[::1]:8080", "http://[::1]:8080", "same-origin", true],
    ["127.0.0.1:8080", "http://127.0.0.1:9090", "same-site", false],
    ["127.0.0.1:8080", "http://shop.example", "cross-site", false],
    ["127.0.0.1:8080", "https://127.0.0.1:8080", undefined, false],
    ["127.0.0.1:8080", "null", undefined, false],
    ["127.0.0.1:8080", undefined, "cross-site", false],
    ["127.0.0.1:8080", undefined, "same-site", false],
    ["shop.example:8080", "http://shop.example:8080", "same-origin", false],
    ["127.0.0.1.shop.example", undefined, undefined, false],
    ["localhost.shop.example", undefined, undefined, false],
    ["shop.example@127.0.0.1", undefined, undefined, false],
    ["198.51.100.7:8080", undefined, undefined, false],
    ["127.0.0.1:8080/x", undefined, undefined, false],
    ["", undefined, undefined, false],
    [undefined, undefined, undefined, false],
  ];
  it.each(rows)("to %s from %s, site %s: welcome %s", (host, origin, fetchSite, welcome) => {
    expect(refusal({ host, origin, fetchSite }, LISTENING) === null).toBe(welcome);
  });

  it("may use the name that is listened on, and this machine's addresses", () => {
    const claims = { origin: undefined, fetchSite: undefined };
    expect(refusal({ ...claims, host: "counter.lan:8080" }, "counter.lan")).toBeNull();
    const own = outside ?? "127.0.0.1";
    expect(refusal({ ...claims, host: `${own}:8080` }, "0.0.0.0")).toBeNull();
  });

  it("that is refused is told a way out", () => {
    expect(refusal({ host: "shop.example", origin: undefined, fetchSite: undefined }, LISTENING)).toContain(
      "http://127.0.0.1",
    );
  });
});

describe("a touch", () => {
  const add = { kind: "add", itemId: "water", quantity: 1, options: {} };
  const rows: [body: unknown, right: boolean][] = [
    [{ intent: { kind: "confirm" } }, true],
    [{ intent: { kind: "confirm" }, seen: { saleId: "s", totalMinor: "4000" } }, true],
    [{ intent: { kind: "edit", edits: [add] } }, true],
    [
      { intent: { kind: "edit", edits: [{ kind: "remove", itemId: "water", options: { size: "large" } }] } },
      true,
    ],
    [{}, false],
    [undefined, false],
    [[], false],
    [{ intent: "confirm" }, false],
    [{ intent: { kind: "refund" } }, false],
    [{ intent: { kind: "confirm", amount: 0 } }, false],
    [{ intent: { kind: "confirm" }, seen: { saleId: "s", totalMinor: 4000 } }, false],
    [{ intent: { kind: "edit", edits: [] } }, false],
    [{ intent: { kind: "edit", edits: Array(21).fill(add) } }, false],
    [{ intent: { kind: "edit", edits: [{ ...add, quantity: 0 }] } }, false],
    [{ intent: { kind: "edit", edits: [{ ...add, quantity: 1.5 }] } }, false],
    [{ intent: { kind: "edit", edits: [{ ...add, price: 1 }] } }, false],
    [{ intent: { kind: "edit", edits: [{ ...add, itemId: "x".repeat(41) }] } }, false],
  ];
  it.each(rows)("%j: right %s", (body, right) => {
    expect(turnBody.safeParse(body).success).toBe(right);
  });
});
