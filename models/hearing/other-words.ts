/**
 * Words that people say at a counter and that are no part of an order yet: payment brands, receipts, directions, talk.
 *
 * The decoder knows them so that it need not bend them into words of the menu ("몰라요" is not "물 둘이요"); the
 * transcript carries them, and the parser does not understand them. When the parser learns one, it leaves this list by
 * itself, because the parser's words win.
 */
import type { Language } from "../../daemon/core/menu.ts";

const KOREAN =
  "왜요|왜|몰라요|모르겠어요|글쎄요|글쎄|번|번이요|번째|첫번째|첫|번호|번호표|테이블|상품권|쿠폰|포인트|적립|적립해주세요|영수증|영수증이요|현금영수증|화장실|어디예요|어디|어디에요|어디있어요|비밀번호|와이파이|주차|" +
  "몇|몇시|시|시까지|분|시간|기다려주세요|기다려|할인|할인되나요|삼성페이|네이버페이|카카오페이|애플페이|제로페이|페이코|신용카드|체크카드|교통카드|일시불|할부|개월|공|영|처음|이전|이전으로|뒤로|왼쪽|오른쪽|위에|아래|위에거|아래거|" +
  "알레르기|뭐예요|뭐가|맛있어요|추천|인기|들어가요|들어있어요|매운가요|매워요|필요|필요없어요|봉투|빨대|냅킨|물티슈|젓가락|숟가락|포크|휴지|전화|전화번호|이름|누구|언제|언제나와요|얼마나|걸려요|오늘|내일|어제|날씨|정말|진짜|너무|" +
  "손님|선생님|아이|엄마|아빠|친구|회사|점심|저녁|아침|빨리|천천히|조금|조금만|많이|적게|영어|영어로|한국어|한국어로|중국어|소리|크게말해주세요|환불|환불해주세요|교환|고장|안녕히계세요|수고하셨습니다|네시|열시|보세요|주소|배달|예약|" +
  "시럽|얼음|설탕|우유|두유|오트밀크|휘핑|휘핑크림|샷|덜달게|달게|디카페인|텀블러|뚜껑|컵홀더|데워서|데워주세요|소스|양파|오이|파|고수|마늘|치즈|계란|밥|사리|국물|단무지";

const ENGLISH =
  "why|where|when|who|bathroom|restroom|password|wifi|receipt|no receipt|coupon|points|gift card|discount|cash|apple pay|google pay|samsung pay|number|table|minutes|next|previous|back|left|right side|first|second|third|" +
  "hotter|spoon|fork|straw|napkin|bag|allergy|nuts|milk|sugar|syrup|oat milk|soy milk|less ice|no ice|extra hot|decaf|refund|louder|slower|korean|english|bye|see you|none|less|maybe|know|don't know|i don't know|not now|now|cold one|people|person";

export function otherWords(language: Language): readonly string[] {
  if (language === "ko") return KOREAN.split("|");
  return language === "en" ? ENGLISH.split("|") : [];
}
