/** Watches a running daemon over its server-sent events, and asks its HTTP server. */

import type { SaleLatency } from "../../daemon/shell/latency.ts";
import type { Observation } from "../../daemon/shell/observation.ts";

/** Amounts travel as decimal strings, see daemon/display/server.ts. */
export type Seen = Observation & { readonly seenMs: number };
export type Kind = Observation["kind"];
export type SeenOf<K extends Kind> = Seen & { readonly kind: K };

const RECONNECT_MS = 50;

export class Watcher {
  readonly seen: Seen[] = [];
  readonly #waiting = new Set<() => void>();
  readonly #listeners = new Set<(seen: Seen) => void>();
  #address = "";
  #stopped = false;
  #connection = new AbortController();

  /** Begins to watch; a daemon that is started again is found again when `watch` is called with its new address. */
  watch(address: string): void {
    this.#connection.abort();
    this.#connection = new AbortController();
    this.#address = address;
    void this.#follow(address, this.#connection.signal);
  }

  stop(): void {
    this.#stopped = true;
    this.#connection.abort();
  }

  onSeen(listener: (seen: Seen) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** The position from which to look for what happens next. */
  get mark(): number {
    return this.seen.length;
  }

  /** Resolves with the first observation from `mark` on that fits. Rejects after the time with what was seen instead. */
  async next<K extends Kind>(
    kind: K,
    mark: number,
    limitMs = 30_000,
    fits: (seen: SeenOf<K>) => boolean = () => true,
  ): Promise<SeenOf<K>> {
    const deadline = performance.now() + limitMs;
    for (;;) {
      const found = this.seen
        .slice(mark)
        .find((seen): seen is SeenOf<K> => seen.kind === kind && fits(seen as SeenOf<K>));
      if (found !== undefined) return found;
      const left = deadline - performance.now();
      if (left <= 0) {
        const kinds = this.seen.slice(mark).map((seen) => seen.kind);
        throw new Error(
          `"${kind}" was not seen within ${limitMs} ms; seen: ${kinds.join(", ") || "nothing"}`,
        );
      }
      await new Promise<void>((resolve) => {
        const done = (): void => {
          clearTimeout(timer);
          this.#waiting.delete(done);
          resolve();
        };
        const timer = setTimeout(done, left);
        this.#waiting.add(done);
      });
    }
  }

  async get<T>(path: string): Promise<T> {
    const response = await fetch(`${this.#address}${path}`);
    if (!response.ok) throw new Error(`GET ${path}: ${response.status} ${await response.text()}`);
    return (await response.json()) as T;
  }

  async post<T>(path: string, body: unknown): Promise<T> {
    const headers = { "content-type": "application/json" };
    const response = await fetch(`${this.#address}${path}`, {
      method: "POST",
      headers,
      body: JSON.stringify(body),
    });
    if (!response.ok) throw new Error(`POST ${path}: ${response.status} ${await response.text()}`);
    return (await response.json()) as T;
  }

  latencies(): Promise<{ readonly latencies: readonly SaleLatency[] }> {
    return this.get("/sales");
  }

  async #follow(address: string, signal: AbortSignal): Promise<void> {
    while (!this.#stopped && !signal.aborted) {
      try {
        const response = await fetch(`${address}/events`, { signal });
        if (response.body !== null) await this.#read(response.body);
      } catch {
        // The daemon is being started again, or has been.
      }
      await new Promise((resolve) => setTimeout(resolve, RECONNECT_MS));
    }
  }

  async #read(body: ReadableStream<Uint8Array>): Promise<void> {
    let text = "";
    const decoder = new TextDecoder();
    for await (const chunk of body) {
      text += decoder.decode(chunk, { stream: true });
      const blocks = text.split("\n\n");
      text = blocks.pop() ?? "";
      for (const block of blocks) this.#take(block);
    }
  }

  #take(block: string): void {
    const event = /^event: (.*)$/m.exec(block)?.[1];
    const data = /^data: (.*)$/m.exec(block)?.[1];
    if (event === undefined || event === "state" || data === undefined) return;
    const seen = { ...(JSON.parse(data) as Observation), seenMs: performance.timeOrigin + performance.now() };
    this.seen.push(seen);
    for (const listener of this.#listeners) listener(seen);
    for (const wake of this.#waiting) wake();
  }
}
