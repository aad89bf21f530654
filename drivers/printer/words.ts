/**
 * The fixed words of a receipt in each language.
 *
 * The Korean words are those of a Korean retail receipt: the merchant's particulars, 공급가액 and 부가세 as the breakdown
 * of a price that includes VAT, and the approval number of the card payment.
 */
import type { Language } from "../../daemon/core/menu.ts";
import type { Money } from "../../daemon/core/money.ts";
import { formatAmount } from "../../daemon/core/money.ts";

export type ReceiptWords = {
  readonly title: string;
  readonly copy: string;
  readonly copyNote: string;
  readonly registration: string;
  readonly representative: string;
  readonly address: string;
  readonly phone: string;
  readonly soldAt: string;
  readonly clockUnset: string;
  readonly terminal: string;
  readonly orderNumber: string;
  readonly item: string;
  readonly unitPrice: string;
  readonly quantity: string;
  readonly amount: string;
  readonly total: string;
  readonly supply: string;
  readonly vat: (percent: number) => string;
  readonly taxFree: string;
  readonly vatNote: string;
  readonly payment: string;
  readonly card: string;
  readonly cardNumber: string;
  readonly authorisation: string;
  readonly paid: string;
  readonly offline: string;
  readonly offlineNote: string;
  /** Before the amount that went back since, on a copy. */
  readonly givenBack: string;
  readonly saleId: string;
  readonly thanks: string;
  readonly keep: string;
  readonly money: (amount: Money) => string;
};

const KOREAN: ReceiptWords = {
  title: "영 수 증",
  copy: "** 재발행 / COPY **",
  copyNote: "재발행된 영수증입니다",
  registration: "사업자등록번호",
  representative: "대표",
  address: "주소",
  phone: "전화",
  soldAt: "판매일시",
  clockUnset: "단말기 시각 미설정",
  terminal: "단말기",
  orderNumber: "주문번호",
  item: "상품명",
  unitPrice: "단가",
  quantity: "수량",
  amount: "금액",
  total: "합계",
  supply: "공급가액",
  vat: (percent) => `부가세(${percent}%)`,
  taxFree: "면세금액",
  vatNote: "※ 부가세 포함 금액입니다",
  payment: "결제수단",
  card: "카드",
  cardNumber: "카드번호",
  authorisation: "승인번호",
  paid: "결제금액",
  offline: "오프라인 승인",
  offlineNote: "통신 장애로 오프라인 승인되었습니다. 카드 대금은 추후 정산됩니다.",
  givenBack: "환불된 금액",
  saleId: "거래번호",
  thanks: "이용해 주셔서 감사합니다",
  keep: "교환/환불 시 영수증을 지참하세요",
  money: (amount) => (amount.currency === "KRW" ? `${formatAmount(amount)}원` : withCode(amount)),
};

const ENGLISH: ReceiptWords = {
  title: "RECEIPT",
  copy: "** COPY **",
  copyNote: "This is a reprinted receipt",
  registration: "Business no.",
  representative: "Owner",
  address: "Address",
  phone: "Phone",
  soldAt: "Date",
  clockUnset: "terminal clock not set",
  terminal: "Terminal",
  orderNumber: "ORDER NUMBER",
  item: "Item",
  unitPrice: "Price",
  quantity: "Qty",
  amount: "Amount",
  total: "TOTAL",
  supply: "Net amount",
  vat: (percent) => `VAT (${percent}%)`,
  taxFree: "VAT exempt",
  vatNote: "The total includes VAT",
  payment: "Payment",
  card: "Card",
  cardNumber: "Card no.",
  authorisation: "Approval no.",
  paid: "Paid",
  offline: "APPROVED OFFLINE",
  offlineNote: "Approved while the network was down. The card will be charged later.",
  givenBack: "GIVEN BACK",
  saleId: "Sale",
  thanks: "Thank you",
  keep: "Keep this receipt for returns",
  money: withCode,
};

const CHINESE: ReceiptWords = {
  title: "收 据",
  copy: "** 补打 / COPY **",
  copyNote: "本收据为补打收据",
  registration: "营业执照号",
  representative: "负责人",
  address: "地址",
  phone: "电话",
  soldAt: "日期",
  clockUnset: "终端时间未设置",
  terminal: "终端",
  orderNumber: "取餐号",
  item: "商品",
  unitPrice: "单价",
  quantity: "数量",
  amount: "金额",
  total: "合计",
  supply: "不含税金额",
  vat: (percent) => `增值税(${percent}%)`,
  taxFree: "免税金额",
  vatNote: "合计金额已含增值税",
  payment: "支付方式",
  card: "银行卡",
  cardNumber: "卡号",
  authorisation: "授权号",
  paid: "支付金额",
  offline: "离线授权",
  offlineNote: "因网络中断已离线授权，卡片稍后扣款。",
  givenBack: "已退款",
  saleId: "交易号",
  thanks: "谢谢惠顾",
  keep: "退换货时请出示此收据",
  money: withCode,
};

export const WORDS: Readonly<Record<Language, ReceiptWords>> = { ko: KOREAN, en: ENGLISH, zh: CHINESE };

/** "KRW 15,000", "USD 15.00": the ISO 4217 code, because a symbol like $ names several currencies. */
function withCode(amount: Money): string {
  return `${amount.currency} ${formatAmount(amount)}`;
}
