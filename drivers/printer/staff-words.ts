/**
 * The fixed words of refund slips and day reports in each language. The Korean ones are those of Korean card slips and
 * till reports: 결제 취소 for a sale taken back whole on its day, 환불 for money given back later, 일일 마감 for the day's close.
 */
import type { Language } from "../../daemon/core/menu.ts";
import type { RefundSlip } from "../../daemon/core/receipt.ts";

/** How a slip says whether money has moved. */
export type SlipState = {
  readonly title: string;
  readonly mark: string;
  readonly note: string;
  /** Name of the amount. */
  readonly amount: string;
};

export type SlipWords = {
  readonly [purpose in RefundSlip["purpose"]]: { readonly [status in RefundSlip["status"]]: SlipState };
} & {
  readonly copyNote: string;
  readonly saleNumber: string;
  readonly soldElsewhere: string;
  readonly at: string;
  readonly saleAmount: string;
  readonly keep: string;
};

export type DayWords = {
  readonly title: string;
  readonly copyNote: string;
  readonly day: string;
  readonly opened: string;
  readonly closed: string;
  readonly numbers: string;
  readonly nothingSold: string;
  readonly method: string;
  readonly count: string;
  readonly amount: string;
  readonly card: string;
  readonly cardOffline: string;
  readonly sales: string;
  readonly refunds: string;
  readonly voids: string;
  readonly declinedAfter: string;
  readonly dismissed: string;
  readonly net: string;
  readonly notSettled: string;
  readonly queued: string;
  readonly refundsQueued: string;
  readonly notSettledNote: string;
  readonly signature: string;
};

export const SLIP_WORDS: Readonly<Record<Language, SlipWords>> = {
  ko: {
    refund: {
      requested: {
        title: "환 불 접 수 증",
        mark: "환불 대기 중",
        note: "아직 환불되지 않았습니다. 확인되는 대로 결제하신 카드로 환불됩니다.",
        amount: "환불 요청 금액",
      },
      done: {
        title: "환 불 영 수 증",
        mark: "환불 완료",
        note: "결제하신 카드로 환불되었습니다. 카드사에 따라 며칠 걸릴 수 있습니다.",
        amount: "환불 금액",
      },
    },
    void: {
      requested: {
        title: "결 제 취 소 접 수 증",
        mark: "취소 대기 중",
        note: "아직 취소되지 않았습니다. 확인되는 대로 카드 결제가 취소됩니다.",
        amount: "취소 요청 금액",
      },
      done: {
        title: "결 제 취 소 영 수 증",
        mark: "취소 완료",
        note: "카드 결제가 전액 취소되었습니다.",
        amount: "취소 금액",
      },
    },
    copyNote: "재발행된 전표입니다",
    saleNumber: "주문번호",
    soldElsewhere: "다른 단말기에서 판매",
    at: "일시",
    saleAmount: "판매 금액",
    keep: "문의하실 때 이 전표를 보여 주세요",
  },
  en: {
    refund: {
      requested: {
        title: "REFUND REQUEST",
        mark: "NOT REFUNDED YET",
        note: "No money has been returned so far. It goes back to the card that paid as soon as the refund is confirmed.",
        amount: "Requested",
      },
      done: {
        title: "REFUND RECEIPT",
        mark: "REFUNDED",
        note: "Returned to the card that paid. Your bank may take a few days to show it.",
        amount: "Refunded",
      },
    },
    void: {
      requested: {
        title: "VOID REQUEST",
        mark: "NOT VOIDED YET",
        note: "The payment still stands. It is taken back as soon as the void is confirmed.",
        amount: "Requested",
      },
      done: {
        title: "VOID RECEIPT",
        mark: "VOIDED",
        note: "The whole card payment was taken back.",
        amount: "Voided",
      },
    },
    copyNote: "This is a reprinted slip",
    saleNumber: "Order number",
    soldElsewhere: "sold on another terminal",
    at: "Date",
    saleAmount: "Sale",
    keep: "Please show this slip if you have questions",
  },
  zh: {
    refund: {
      requested: {
        title: "退 款 受 理 单",
        mark: "等待退款",
        note: "尚未退款。确认后将退回原付款卡。",
        amount: "申请退款金额",
      },
      done: {
        title: "退 款 收 据",
        mark: "退款完成",
        note: "已退回原付款卡。到账可能需要几天。",
        amount: "退款金额",
      },
    },
    void: {
      requested: {
        title: "撤 销 受 理 单",
        mark: "等待撤销",
        note: "尚未撤销。确认后将撤销刷卡付款。",
        amount: "申请撤销金额",
      },
      done: { title: "撤 销 收 据", mark: "撤销完成", note: "刷卡付款已全额撤销。", amount: "撤销金额" },
    },
    copyNote: "本单为补打单据",
    saleNumber: "取餐号",
    soldElsewhere: "在其他终端销售",
    at: "日期",
    saleAmount: "销售金额",
    keep: "如有疑问请出示此单",
  },
};

export const DAY_WORDS: Readonly<Record<Language, DayWords>> = {
  ko: {
    title: "일 일 마 감",
    copyNote: "재발행된 마감표입니다",
    day: "영업일",
    opened: "개시",
    closed: "마감",
    numbers: "주문번호",
    nothingSold: "판매 없음",
    method: "구분",
    count: "건수",
    amount: "금액",
    card: "카드",
    cardOffline: "카드(오프라인 승인)",
    sales: "매출 합계",
    refunds: "환불",
    voids: "결제 취소",
    declinedAfter: "사후 승인 거절",
    dismissed: "직원 종결",
    net: "순매출",
    notSettled: "아직 미정산",
    queued: "정산 대기 판매",
    refundsQueued: "환불/취소 대기",
    notSettledNote:
      "아직 정산되지 않은 금액입니다. 정산 대기 판매는 위 매출에 들어 있고, 환불/취소 대기는 들어 있지 않습니다.",
    signature: "확인",
  },
  en: {
    title: "DAY CLOSE",
    copyNote: "This is a reprinted report",
    day: "Business day",
    opened: "Opened",
    closed: "Closed",
    numbers: "Orders",
    nothingSold: "nothing sold",
    method: "Method",
    count: "Count",
    amount: "Amount",
    card: "Card",
    cardOffline: "Card, offline",
    sales: "Sales",
    refunds: "Refunds",
    voids: "Voids",
    declinedAfter: "Declined later",
    dismissed: "Closed by staff",
    net: "NET",
    notSettled: "NOT SETTLED YET",
    queued: "Sales waiting",
    refundsQueued: "Refunds waiting",
    notSettledNote: "Sales waiting are part of the sales above. Refunds and voids waiting are not.",
    signature: "Signed",
  },
  zh: {
    title: "每 日 结 算",
    copyNote: "本单为补打报表",
    day: "营业日",
    opened: "开始",
    closed: "结束",
    numbers: "取餐号",
    nothingSold: "无销售",
    method: "类别",
    count: "笔数",
    amount: "金额",
    card: "银行卡",
    cardOffline: "银行卡(离线授权)",
    sales: "销售合计",
    refunds: "退款",
    voids: "撤销",
    declinedAfter: "事后拒付",
    dismissed: "店员结清",
    net: "净额",
    notSettled: "尚未结算",
    queued: "待结算销售",
    refundsQueued: "待退款/撤销",
    notSettledNote: "待结算销售已计入上述销售额，待退款/撤销未计入。",
    signature: "签名",
  },
};
