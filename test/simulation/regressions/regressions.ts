/** Every public failure that this program must not repeat. */
import { draftSurvivesReload } from "./draft-survives-reload.ts";
import { eightOfflineOrders } from "./eight-offline-orders.ts";
import { noticeBeforeTheAnswer } from "./notice-before-the-answer.ts";
import { offlineSuccessIsForwarded } from "./offline-success-is-forwarded.ts";
import { queueSurvivesUpgrade } from "./queue-survives-upgrade.ts";
import { receiptHasRecord, STEPS_OF_A_SALE } from "./receipt-has-record.ts";
import type { Regression } from "./regression.ts";
import { timedOutThenConflict } from "./timed-out-then-conflict.ts";
import { twoSyncsAtOnce } from "./two-syncs-at-once.ts";

export const REGRESSIONS: readonly Regression[] = [
  eightOfflineOrders,
  queueSurvivesUpgrade,
  offlineSuccessIsForwarded,
  timedOutThenConflict,
  draftSurvivesReload,
  twoSyncsAtOnce,
  noticeBeforeTheAnswer,
  ...Array.from({ length: STEPS_OF_A_SALE }, (_, index) => receiptHasRecord(index + 1)),
];
