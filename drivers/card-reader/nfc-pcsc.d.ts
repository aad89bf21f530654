/**
 * The part of nfc-pcsc 0.8 that the driver uses; the package ships no types. `reader` is the binding's own reader
 * object: its `status` events are the only honest news about presence, because nfc-pcsc swallows failed connections.
 */
declare module "nfc-pcsc" {
  import type { EventEmitter } from "node:events";

  export interface BindingReader extends EventEmitter {
    readonly name: string;
    /** SCARD_STATE_* bits, as of the last status event that was handled. */
    readonly state: number;
    readonly SCARD_STATE_EMPTY: number;
    readonly SCARD_STATE_PRESENT: number;
    readonly SCARD_STATE_MUTE: number;
    close(): number;
  }

  export interface Reader extends EventEmitter {
    readonly name: string;
    readonly reader: BindingReader;
    autoProcessing: boolean;
    readonly connection: { readonly type: number; readonly protocol: number | undefined } | null;
    connect(): Promise<unknown>;
    disconnect(): Promise<unknown>;
    transmit(data: Buffer, responseMaxLength: number): Promise<Buffer>;
    close(): void;
  }

  export class NFC extends EventEmitter {
    constructor();
    close(): void;
  }
}
