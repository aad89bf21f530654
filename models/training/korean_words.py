"""Models the Korean vocabulary of shops: item names, options, numbers, counters, particles. Spoken forms only.

The item pool is wide on purpose: a recogniser for any menu must not learn a menu. Names are also composed, invented
(loanword-like syllables that mean nothing) and drawn from the hunspell dictionary. Held-out names never leave here.
"""
import functools
import unicodedata

from held_out import mentions

DICTIONARY = "/usr/share/hunspell/ko.dic"

_POOL = """
아메리카노 아이스아메리카노 에스프레소 카페라떼 카푸치노 카페모카 바닐라라떼 카라멜마끼아또 콜드브루 더치커피 헤이즐넛라떼 돌체라떼 연유라떼
화이트모카 아포가토 롱블랙 리스트레토 룽고 드립커피 핸드드립 디카페인커피 믹스커피 녹차 홍차 보리차 생강차 유자차 대추차 모과차 레몬차 자몽차 매실차
오설록 얼그레이 캐모마일 페퍼민트 루이보스 히비스커스 자스민차 보이차 밀크티 말차라떼 녹차라떼 초코라떼 고구마라떼 곡물라떼 단호박라떼 딸기라떼
레몬에이드 자몽에이드 청포도에이드 체리에이드 라임에이드 블루베리에이드 망고스무디 딸기스무디 요거트스무디 키위주스 오렌지주스 사과주스 포도주스
토마토주스 당근주스 수박주스 바나나우유 초코우유 딸기우유 흰우유 두유 아몬드우유 식혜 수정과 미숫가루 핫초코 버블티 타로밀크티 콤부차 레모네이드
크루아상 베이글 소금빵 식빵 단팥빵 크림빵 소보로 카스텔라 바게트 치아바타 모닝빵 꽈배기 도넛 츄러스 와플 크로플 팬케이크 마카롱 쿠키 브라우니 스콘 머핀
파운드케이크 롤케이크 치즈케이크 당근케이크 초코케이크 생크림케이크 티라미수 푸딩 타르트 에그타르트 애플파이 호두파이 슈크림 에클레어 마들렌 다쿠아즈
샌드위치 햄치즈샌드위치 에그샌드위치 클럽샌드위치 파니니 토스트 브리또 타코 퀘사디아 핫도그 햄버거 치즈버거 불고기버거 새우버거 치킨버거 감자튀김
양파링 치즈스틱 너겟 코울슬로 샐러드 콥샐러드 리코타샐러드 수프 양송이수프 피자 페퍼로니피자 고구마피자 콤비네이션피자 스파게티 카르보나라 봉골레
알리오올리오 라자냐 리조또 스테이크 돈가스 치즈돈가스 생선가스 함박스테이크 오므라이스 카레라이스 김밥 참치김밥 치즈김밥 소고기김밥 충무김밥 유부초밥
주먹밥 떡볶이 라볶이 순대 튀김 오징어튀김 고구마튀김 김말이 어묵 라면 떡라면 치즈라면 만두 군만두 찐만두 물만두 칼국수 수제비 잔치국수 비빔국수 콩국수
냉면 물냉면 비빔냉면 막국수 우동 소바 짜장면 간짜장 짬뽕 볶음밥 탕수육 깐풍기 유린기 마파두부 양장피 쌀국수 팟타이 분짜 월남쌈 나시고렝 똠얌꿍 라멘
초밥 모둠초밥 연어초밥 회덮밥 사케동 가츠동 규동 텐동 텐동정식 비빔밥 돌솥비빔밥 김치찌개 된장찌개 순두부찌개 부대찌개 청국장 갈비탕 설렁탕 곰탕 육개장
삼계탕 감자탕 해장국 순대국 북엇국 미역국 떡국 추어탕 매운탕 알탕 제육볶음 오징어볶음 불고기 삼겹살 목살 갈비 닭갈비 찜닭 족발 보쌈 치킨 양념치킨
후라이드치킨 간장치킨 반반치킨 파전 김치전 빈대떡 계란말이 두부김치 공기밥 소주 맥주 생맥주 막걸리 동동주 와인 하이볼 청하 복분자 콜라 사이다 환타
탄산수 생수 이온음료 에너지음료 아이스티 옥수수차 둥굴레차 쌍쌍바 메로나 붕어싸만코 아이스크림 팥빙수 망고빙수 젤라또 요거트 그릭요거트 푸딩컵
컵라면 봉지라면 삼각김밥 도시락 과자 감자칩 새우깡 초콜릿 사탕 젤리 껌 육포 오징어포 땅콩 아몬드 견과류 시리얼 즉석밥 통조림 참치캔 햄 소시지 어포
달걀 두부 콩나물 김치 깍두기 단무지 고추장 된장 간장 식용유 설탕 소금 후추 참기름 식초 마요네즈 케첩 머스터드 김 미역 다시마 멸치 쌀 현미 밀가루
사과 배 포도 딸기 바나나 귤 오렌지 레몬 수박 참외 복숭아 자두 체리 키위 망고 파인애플 블루베리 토마토 방울토마토 감자 고구마 양파 마늘 대파 당근 오이 호박
상추 깻잎 시금치 배추 무 버섯 고등어 갈치 오징어 새우 조개 연어 소고기 돼지고기 닭고기 오리고기
휴지 물티슈 칫솔 치약 비누 샴푸 린스 면도기 면봉 화장솜 생리대 기저귀 마스크 장갑 양말 스타킹 우산 우비 건전지 라이터 양초 테이프 가위 볼펜 연필 지우개
공책 수첩 봉투 엽서 풀 자 색종이 스케치북 물감 필통 배터리 충전기 이어폰 케이블 텀블러 머그컵 원두 드립백 빨대 종이컵 비닐봉투 쇼핑백 교통카드
감기약 두통약 진통제 해열제 소화제 위장약 지사제 변비약 비타민 유산균 오메가쓰리 철분제 칼슘 루테인 파스 밴드 연고 소독약 붕대 거즈 체온계 안약 인공눈물
영양제 숙취해소제 피로회복제 박카스 구충제 모기약 선크림 핸드크림 립밤 로션 마스크팩 염색약 장미 튤립 국화 화분 꽃다발 열쇠고리 인형 퍼즐 보드게임 풍선
오렌지에이드 패션후르츠티 얼음컵 샷추가 크림추가 펄추가 치즈추가 사리추가 라면사리 우동사리 곱빼기 세트메뉴 런치세트 어린이세트 커플세트 오늘의커피 오늘의메뉴
"""

_FLAVOURS = """딸기 초코 바닐라 카라멜 헤이즐넛 말차 녹차 고구마 단호박 옥수수 흑당 흑미 인절미 팥 콩 쑥 유자 레몬 라임 자몽 오렌지 복숭아 청포도 샤인머스캣 망고 패션후르츠
코코넛 파인애플 블루베리 라즈베리 크랜베리 체리 석류 사과 배 수박 멜론 바나나 토마토 당근 아보카도 민트 로즈마리 라벤더 자스민 얼그레이 시나몬 생강 꿀 메이플 솔티드 피스타치오
아몬드 호두 땅콩 마카다미아 티라미수 오레오 치즈 크림치즈 모짜렐라 고르곤졸라 체다 버터 마늘 갈릭 어니언 양파 대파 감자 버섯 트러플 김치 불고기 갈비 제육 돼지 소고기 닭 치킨
오리 새우 오징어 문어 낙지 꽃게 연어 참치 명란 날치알 해물 굴 홍합 전복 매운 순한 간장 양념 마라 로제 크림 토마토바질 바질 페스토 데리야키 칠리 와사비 겨자 들깨 메밀 도토리 두부
얼큰 시골 옛날 수제 특선 모둠 왕 미니 반반 스페셜 프리미엄 클래식 오리지널 더블 트리플 제주 강원 전주 부산 춘천 이태리 하와이안 베트남 뉴욕""".split()
_BASES = """라떼 커피 모카 티 밀크티 에이드 스무디 주스 프라페 쉐이크 우유 차 소다 빙수 아이스크림 케이크 쿠키 빵 크루아상 베이글 스콘 머핀 와플 도넛 타르트 파이 롤 푸딩 마카롱 샌드위치
토스트 버거 피자 파스타 스파게티 리조또 그라탕 도리아 샐러드 수프 스테이크 돈가스 김밥 주먹밥 초밥 덮밥 볶음밥 비빔밥 국밥 죽 떡볶이 라면 우동 국수 칼국수 수제비 냉면 만두 짬뽕
찌개 탕 전골 찜 구이 볶음 무침 튀김 전 꼬치 강정 족발 치킨 세트 정식 도시락 막걸리 소주 맥주 와인 칵테일 젤리 사탕 초콜릿 과자 칩 스틱 크림 비누 샴푸 로션 연고 패치 시럽 캡슐 봉투 우산 배터리""".split()

NATIVE = "하나 둘 셋 넷 다섯 여섯 일곱 여덟 아홉 열".split()
NATIVE_OF = "한 두 세 네 다섯 여섯 일곱 여덟 아홉 열".split()
TENS = "열 스물 서른 마흔 쉰 예순 일흔 여든 아흔".split()
SINO = "영 일 이 삼 사 오 육 칠 팔 구".split()
COUNTERS = "잔 잔 잔 개 개 개 병 그릇 조각 세트 판 컵 봉지 캔 통 팩 박스 상자 장 줄 접시 마리 권 켤레 자루 송이 알 포 묶음 모 대 명 분 단 마디 스쿱 샷 쪽".split()
SINO_COUNTERS = "인분 인분 인분 번 번 리터 그램 퍼센트 층 호 회 분 번째 킬로 미리 센티 점 세트".split()
TEMPERATURE = "아이스 아이스 차가운 시원한 따뜻한 따뜻한 뜨거운 핫 미지근한 아이스로 따뜻하게 차갑게 뜨겁게 시원하게 따뜻한걸로 아이스로요".split()
SIZES = "큰 작은 중간 제일큰 보통 라지 레귤러 스몰 미디엄 톨 그란데 벤티 점보 대 중 소 대자 중자 소자 곱빼기 특 라지사이즈 큰사이즈 작은사이즈 레귤러사이즈 톨사이즈 소형 대형 중형 일반".split()
EXTRAS = """샷 추가해서|샷 하나 추가|샷 두 개 추가|시럽 빼고|시럽 추가|바닐라 시럽 넣어서|얼음 적게|얼음 많이|얼음 빼고|얼음 조금만|휘핑 빼고|휘핑크림 올려서|덜 달게|달게|안 달게|당도 오십 퍼센트로
설탕 빼고|우유 대신 두유로|오트밀크로|저지방 우유로|디카페인으로|연하게|진하게|물 많이|포장으로|매장에서|데워서|반으로 잘라서|따로 담아서|안 맵게|덜 맵게|맵게|아주 맵게|보통 맵기로|순한 맛으로|매운맛으로
보통맛|순한맛|매운맛|양 많이|양파 빼고|오이 빼고|파 빼고|고수 빼고|마늘 빼고|치즈 추가|계란 추가|밥 추가|사리 추가|곱빼기로|국물 많이|소스 따로|소스 많이|단무지 많이|면 삶아서|간 세지 않게|젓가락 두 개랑
빨대 없이|뚜껑 없이|텀블러에|일회용 컵에|큰 컵으로|작은 컵으로|머그잔에|봉투에 담아서|봉투 없이|선물 포장으로""".replace("\n", "|").split("|")


def has_coda(word):
    return 0xAC00 <= ord(word[-1]) <= 0xD7A3 and (ord(word[-1]) - 0xAC00) % 28 > 0


def particle(word, pair):
    """pair like '이가', '을를', '은는', '과와', '이랑/랑', '으로/로'."""
    with_coda, without = pair.split("/") if "/" in pair else (pair[0], pair[1])
    if pair == "으로/로" and (ord(word[-1]) - 0xAC00) % 28 == 8:
        return word + "로"
    return word + (with_coda if has_coda(word) else without)


def sino(number):
    """1..99,999,999 as spoken: 12500 -> 만이천오백."""
    if number == 0:
        return "영"
    high, low = divmod(number, 10000)
    out = ""
    if high:
        out = ("" if high == 1 else sino(high)) + "만"
    for power, name in ((1000, "천"), (100, "백"), (10, "십"), (1, "")):
        digit = low // power % 10
        if digit:
            out += ("" if digit == 1 and power > 1 else SINO[digit]) + name
    return out


def native(number, counting=True):
    """1..99; counting: the form before a counter (한, 두, 스무)."""
    tens, ones = divmod(number, 10)
    if counting and number == 20:
        return "스무"
    return (TENS[tens - 1] if tens else "") + ((NATIVE_OF if counting else NATIVE)[ones - 1] if ones else "")


@functools.lru_cache(maxsize=1)
def pool():
    return [word for word in _POOL.split() if not mentions(word)]


@functools.lru_cache(maxsize=1)
def dictionary():
    """Hangul entries of hunspell's list, composed."""
    words = set()
    with open(DICTIONARY, encoding="utf-8") as lines:
        for line in lines:
            word = unicodedata.normalize("NFC", line.strip().split("/")[0])
            if 1 <= len(word) <= 7 and all("가" <= c <= "힣" for c in word) and not mentions(word):
                words.add(word)
    return sorted(words)


@functools.lru_cache(maxsize=1)
def common_syllables():
    """Syllables of dictionary and pool, once for every word that has them: drawn from it, they come as often as in life."""
    return "".join(dictionary()) + "".join(pool()) * 20


_LOAN_ON = "ㄱㄴㄷㄹㅁㅂㅅㅇㅇㅈㅊㅋㅋㅌㅌㅍㅍㅎ"
_LOAN_VOWEL = "ㅏㅏㅏㅐㅓㅔㅔㅗㅗㅜㅜㅡㅡㅡㅣㅣㅣㅘㅟㅑㅠㅛㅝㅢ"
_LOAN_CODA = "      ㄴㄴㄹㄹㅇㅁㄱㅂㅅ"
_ON = "ㄱㄲㄴㄷㄸㄹㅁㅂㅃㅅㅆㅇㅈㅉㅊㅋㅌㅍㅎ"
_VOWEL = "ㅏㅐㅑㅒㅓㅔㅕㅖㅗㅘㅙㅚㅛㅜㅝㅞㅟㅠㅡㅢㅣ"
_CODA = " ㄱㄲㄳㄴㄵㄶㄷㄹㄺㄻㄼㄽㄾㄿㅀㅁㅂㅄㅅㅆㅇㅈㅊㅋㅌㅍㅎ"


def _syllable(onset, vowel, coda):
    return chr(0xAC00 + _ON.index(onset) * 588 + _VOWEL.index(vowel) * 28 + _CODA.index(coda))


def invented(random, count=None):
    """A name that means nothing: loanword-like, or a chain of common Korean syllables."""
    count = count or random.choice((2, 2, 3, 3, 3, 4, 4, 5, 6))
    kind = random.random()
    if kind < 0.5:
        return "".join(_syllable(random.choice(_LOAN_ON), random.choice(_LOAN_VOWEL), random.choice(_LOAN_CODA)) for _ in range(count))
    if kind < 0.8:
        return "".join(random.choice(common_syllables()) for _ in range(count))
    return "".join(_syllable(random.choice(_ON), random.choice(_VOWEL), random.choice(" ㄱㄴㄷㄹㅁㅂㅇ  ㄲㅅ ")) for _ in range(count))


def item(random):
    """An item name: known, composed, invented or any dictionary word."""
    kind = random.random()
    if kind < 0.40:
        return random.choice(pool())
    if kind < 0.66:
        name = random.choice(_FLAVOURS) + random.choice(_BASES)
        if random.random() < 0.15:
            name = random.choice(_FLAVOURS) + name
        if random.random() < 0.1:
            name = random.choice(_FLAVOURS) + " " + name
        return name
    if kind < 0.85:
        return invented(random) + (random.choice(_BASES) if random.random() < 0.35 else "")
    return random.choice(dictionary())
