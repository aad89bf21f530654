/** Every rule that a world is watched by. */
import { agreement } from "./agreement.ts";
import { answersAreTrue } from "./answers-are-true.ts";
import { approvedIsJournalled } from "./approved-is-journalled.ts";
import { bankEqualsBooks } from "./bank-equals-books.ts";
import { booksBalance } from "./books-balance.ts";
import { dayTotals } from "./day-totals.ts";
import { journalKeeps } from "./journal-keeps.ts";
import { noCardNumber } from "./no-card-number.ts";
import { noSecondKey } from "./no-second-key.ts";
import { nothingRefused } from "./nothing-refused.ts";
import { offlineLimits } from "./offline-limits.ts";
import { oneCharge } from "./one-charge.ts";
import { oneEnding } from "./one-ending.ts";
import { oneOriginal } from "./one-original.ts";
import { oneUseOfATap } from "./one-use-of-a-tap.ts";
import { orderBySequence } from "./order-by-sequence.ts";
import { refundsFit } from "./refunds-fit.ts";
import type { Rule } from "./rule.ts";

export const RULES: readonly Rule[] = [
  oneCharge,
  noSecondKey,
  approvedIsJournalled,
  answersAreTrue,
  journalKeeps,
  oneOriginal,
  oneEnding,
  offlineLimits,
  refundsFit,
  orderBySequence,
  noCardNumber,
  booksBalance,
  bankEqualsBooks,
  agreement,
  oneUseOfATap,
  nothingRefused,
  dayTotals,
];
