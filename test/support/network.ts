/**
 * The network between a terminal and its broker: a TCP relay on loopback that can be cut and mended. Cut, it breaks what
 * is open and refuses what is new, as a pulled cable with a reset does.
 */
import { connect, createServer, type Server, type Socket } from "node:net";

export class Network {
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  #targetPort: number;
  #up = true;
  #port = 0;

  /** `targetPort`: where the broker listens on loopback. */
  constructor(targetPort: number) {
    this.#targetPort = targetPort;
    this.#server = createServer((near) => this.#relay(near));
  }

  /** Resolves with the port that terminals connect to. */
  start(): Promise<number> {
    return new Promise((resolve, reject) => {
      this.#server.once("error", reject);
      this.#server.listen(0, "127.0.0.1", () => {
        const address = this.#server.address();
        this.#port = typeof address === "object" && address !== null ? address.port : 0;
        resolve(this.#port);
      });
    });
  }

  get port(): number {
    return this.#port;
  }

  /** The broker listens somewhere else now, e.g. after a restart. */
  retarget(port: number): void {
    this.#targetPort = port;
  }

  cut(): void {
    this.#up = false;
    for (const socket of this.#sockets) socket.destroy();
  }

  mend(): void {
    this.#up = true;
  }

  stop(): Promise<void> {
    this.cut();
    return new Promise((resolve) => this.#server.close(() => resolve()));
  }

  #relay(near: Socket): void {
    if (!this.#up) return void near.destroy();
    const far = connect(this.#targetPort, "127.0.0.1");
    near.setNoDelay(true);
    far.setNoDelay(true);
    for (const [one, other] of [
      [near, far],
      [far, near],
    ] as const) {
      this.#sockets.add(one);
      one.pipe(other);
      one.on("error", () => other.destroy());
      one.on("close", () => {
        this.#sockets.delete(one);
        other.destroy();
      });
    }
  }
}
