/**
 * The settings that decide what step() does. They are journalled as an event whenever they change, so that a journal
 * folds to the same state on any machine, whatever its settings file says today.
 */
import type { QuantityLimits } from "./basket.ts";
import type { Menu } from "./menu.ts";
import type { OfflinePolicy } from "./offline.ts";
import type { Merchant } from "./receipt.ts";

export type SaleSettings = {
  readonly terminal: string;
  readonly merchant: Merchant;
  readonly menu: Menu;
  readonly quantities: QuantityLimits;
  readonly offline: OfflinePolicy;
  readonly dialogue: {
    /** Turns below this confidence are asked back. */
    readonly minimumConfidence: number;
    /** Silence before the customer is asked again. */
    readonly noInputMs: number;
    /** Misses in a row before staff is called and the sale ends. */
    readonly misses: number;
  };
  readonly payment: {
    readonly cardMs: number;
    /** From the tap to "no answer". */
    readonly answerMs: number;
    /** Between two queries for an uncertain charge. */
    readonly queryMs: number;
    /** Queries before an uncertain charge is approved offline or reversed. */
    readonly queries: number;
    /** Cards that may be declined before the sale ends. */
    readonly attempts: number;
  };
  readonly receipt: {
    /** Time one attempt may take. */
    readonly printMs: number;
    /** Wait before the next attempt after paper out or an open cover. */
    readonly retryMs: number;
    readonly attempts: number;
  };
};
