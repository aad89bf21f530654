/**
 * The contract between the uplink and whatever carries its messages. The MQTT adapter is the real one; tests put a
 * scripted one in its place.
 */
export type BrokerEvents = {
  /** The broker let us in. Nothing is known of the ledger yet. */
  readonly onConnected: () => void;
  /** The connection, or the attempt at one, is over. Exactly once for each `connect`. */
  readonly onLost: (reason: string) => void;
  readonly onPresence: (ledgerOnline: boolean) => void;
  /** Bytes on the terminal's own `down` topic. */
  readonly onMessage: (bytes: Uint8Array) => void;
  /** Bytes on the terminal's own `deny` topic: the retained list at every connection, and each new one. */
  readonly onDenyList: (bytes: Uint8Array) => void;
  /** A topic that the terminal can live without is refused; the connection goes on. */
  readonly onRefused: (topic: string) => void;
};

export interface Broker {
  /** One attempt. It ends in onConnected or onLost; after onConnected comes an onLost some day. */
  connect(events: BrokerEvents): void;
  /** Hands bytes over. Whether they arrive only the ledger's answer tells; without a connection they are dropped. */
  send(bytes: Uint8Array): void;
  /** Says good-bye and calls no event any more. Resolves within a bounded time. */
  close(): Promise<void>;
}
