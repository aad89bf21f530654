"""Models what people say in Korean at a counter, and enough random speech that no menu and no phrase is learnt by heart.

Shapes are lines with {slots}; a slot is filled by the function of the same name. Text is as spoken: numbers in words,
no punctuation. `domain` gives counter talk, `short` the answers of one or two words, `diverse` everything else.
"""
import re

import korean_words as words

_SHAPES = {
    "order": """
{list} {give}|{list} {give}|{list} {give}|{list}|{list}요|{filler} {list} {give}|{filler} {list} {give}|{list} {filler} {give}|{ordered} {give}|{ordered} {give}
{ordered} {give}|{ordered}|{ordered}요|{filler} {ordered} {give}|{ordered}하고 {ordered} {give}|{ordered}하고요 {ordered} {give}|{ordered}이랑 {ordered}|{ordered} 그리고 {ordered} {give}
{ordered} {and} {ordered} {and} {ordered} {give}|{n} 하나|{n} 하나요|{n} 둘이요|{n} {q}|{n} {q}요|{n} {q}만요|{n} {q} {give}|{q} {n} {give}|{n} {q}씩 {give}|{n}만 {q} {give}
{n} 하나 {n} 하나|{n} {q} {n} {q}|{n} {q} {n} {q} {give}|{n} {q} {and} {n} {q} {give}|{n} {q} {n} {q} {n} {q} 이렇게 {give}|{n}하고 {n} 하나씩 {give}|{n}랑 {n} {q}씩 {give}
저는 {n} {give}|저는 {n}이요|나는 {n}|난 {n} 먹을래|전 {n} 할게요|여기 {n} {q} {give}|여기요 {n} {q}요|저희 {n} {q} {give}|우선 {n} {q} {give}|일단 {n} {q}만 {give}|먼저 {n}부터 {give}
{eul} {give}|{eul} {q} {give}|{eul} 하나 {give}|{n} 주문할게요|{n} 주문이요|주문할게요 {n} {q}요|주문이요 {list}|주문할게요 {ordered} {ordered}|{n} 시킬게요|{n} {q} 시켰는데요|{n}도 {give}|{n}도 하나 더 {give}
{n} {o} {give}|{o} {n} {give}|{o} {n} {q} {give}|{o} {n} {q}|{o} {n} 하나 {o} {n} 하나|{n} {o} {q} {give}|{n} {q} {o} {give}|{n} {x} {give}|{n} {x} {q} {give}|{n} {q} {x} {give}|{x} {n} {q} {give}
{n} 포장이요|{n} {q} 포장해 주세요|{n} 포장 되나요|{n} {q} 가져갈게요|{n} 먹고 갈게요|{n} 하나는 {o} 하나는 {o} {give}|{n} {q}인데 하나는 {x} {give}|{n} 한 개는 {o} 나머지는 {o}
{n} 같은 걸로 {q} 더 {give}|같은 거 하나 더요|아까 그거 {q} 더 {give}|{n} {q}하고 물도 {give}|{n} 세트로 {give}|{n} 단품으로 {give}|{n} {size} 사이즈로 {give}|{n} {size}로 {q}|{size} {n} {q} {give}
{n} 아무거나 {give}|추천해 주신 {n} {give}|제일 잘 나가는 걸로 {give}|{n} 맛으로 {q} {give}|{n} 큰 걸로 {give}|{n} 제일 작은 거요|{n} 두 개 중에 작은 거 {give}|{n} {q} {n} {q} 총 {num} 개요
빨리 되는 걸로 {give}|{n} 오래 걸리면 {n} {give}|{n} 없으면 {n} {give}|{n} 있으면 {q} {give}|혹시 {n} 있으면 {n} {q} 없으면 {n} {q} {give}
""",
    "change": """
{n} 말고 {n} {give}|{n} 아니고 {n}이요|{n} 아니고요 {n} {give}|아니 {n} 말고 {n}|{n} 취소하고 {n} {give}|{n} 빼 주세요|{n} 빼고 {n} {give}|{n}는 빼 주세요|{neun} 됐어요|{n} {q} 빼 주세요
{n} {q} 아니 {q}요|{n} {q} 아니 {q} {give}|{q} 아니고 {q}요|{q} 말고 {q}|{q}로 바꿔 주세요|{n} {q}로 바꿔 주세요|{n}에서 {n}으로 바꿀게요|{eul} {n} 바꿔 주세요|{ro} 바꿔 주세요|{ro} 변경해 주세요
{ro} 바꿀게요|{o}로 바꿔 주세요|{n} {o}로 바꿔 주세요|{o} 말고 {o}|{o} 아니고 {o}요|{n} 하나 더 추가요|{n} 추가해 주세요|{n} {q} 추가할게요|하나 더 {give}|하나만 빼 주세요|두 개 더요|{q} 더 {give}|{q}만 {give}
{n} 하나 줄여 주세요|수량을 {q}로 해 주세요|{n} 수량 {num}로 바꿔 주세요|아까 {n} 취소해 주세요|방금 거 취소해 주세요|마지막 거 빼 주세요|마지막 거 취소요|전부 취소해 주세요|다 취소해 주세요|주문 취소할게요
처음부터 다시 할게요|다시 주문할게요|아니요 {n}요|아니 아니 {n}이라고요|아니 그거 말고요|그게 아니고 {n}|잘못 말했어요 {n} {give}|잘못 들으셨어요 {n}이요|제가 말한 건 {n}인데요|{n} {x} 바꿔 주세요|{x} 해 주세요|{x}요
{n} 대신 {n} {give}|{n} 있잖아요 그거 {q}로 해 주세요|첫 번째 거 {x} 해 주세요|두 번째 건 {o}로요|하나는 {o} 하나는 {o}로 해 주세요|둘 다 {o}로요|전부 {o}로 {give}|다 {o}로 해 주세요|모두 포장해 주세요|{n}만 포장이요
음 {n} 아니다 {n} {q}|{n} 아 잠깐만 {n} {give}|어 아니다 {n} {give}|{n} 음 {q} 아니 {q}|잠깐만요 {n} 말고 {n} {give}|{n} 안 할게요|{n} 안 살래요|그거는 안 주셔도 돼요|그건 빼고요
""",
    "ask": """
{n} 얼마예요|{n} 얼마인가요|{n} 얼마죠|{n} 가격이 어떻게 돼요|{n} {q}에 얼마예요|{n} {size} 얼마예요|{i} 얼마예요|{i} 있어요|{i} 있나요|{n} 있어|{n} 되나요|{n} 아직 되나요|{n} 품절이에요|{n} 남았어요|{n} 몇 개 남았어요
{neun} 뭐예요|{neun} 뭐가 들어가요|{i} 뭐예요|{i} 매운가요|{i} 달아요|{n} 많이 매워요|{n}에 {i} 들어가나요|{n}에 우유 들어가요|{n} 알레르기 있는데 괜찮아요|{n} 양이 많아요|{n} 몇 인분이에요|{n} 몇 개 들었어요
{n}하고 {n}하고 뭐가 더 맛있어요|{n}랑 {n}랑 차이가 뭐예요|뭐가 제일 잘 나가요|뭐가 맛있어요|추천해 주세요|추천 메뉴 있어요|오늘 뭐가 좋아요|신메뉴 있나요|메뉴 보여 주세요|메뉴판 좀 보여 주세요|메뉴 뭐 있어요
음료는 뭐가 있어요|디저트 뭐 있어요|{n} 종류 뭐 있어요|따뜻한 음료 있어요|{o}도 돼요|{n} {o}도 되나요|{n} {size}도 있나요|할인되나요|할인 있어요|쿠폰 쓸 수 있어요|포인트 적립되나요|적립해 주세요|영수증 주세요|영수증 필요 없어요
영수증은 괜찮아요|현금영수증 해 주세요|현금영수증 번호는 {phone}|전화번호는 {phone}|{phone}이요|총 얼마예요|전부 얼마예요|다 해서 얼마예요|합계가 얼마예요|얼마 나왔어요|지금까지 얼마예요|주문한 거 읽어 주세요|주문 확인해 주세요
뭐 시켰죠|지금 뭐 담겼어요|{won}이에요|{won}이죠|{won} 맞아요|{won}이요|{won}짜리 {give}|{won} 넘으면 할인돼요|{n} {won} 맞나요|왜 {won}이에요|{won}이 아니고 {won}인데요|거스름돈 주세요|얼마나 걸려요|몇 분 걸려요|언제 나와요
{num} 분 뒤에 올게요|몇 시까지 해요|{hour} 시까지 하나요|{hour} 시 {num} 분에 찾으러 올게요|화장실 어디예요|화장실 비밀번호 뭐예요|와이파이 비밀번호 알려 주세요|와이파이 되나요|물은 어디 있어요|주차되나요|자리 있어요|몇 번이에요
{num} 번이요|{num} 번 테이블이요|{num} 번 손님|{num} 명이에요|{q} 남았나요|유통기한이 언제까지예요|{num} 월 {num} 일이요|환불되나요|환불해 주세요|교환해 주세요|다른 맛 있어요|무설탕 있어요|봉투 필요하세요
""",
    "pay": """
카드로 할게요|카드로 결제할게요|카드 결제요|카드로요|카드 되나요|현금으로 할게요|현금이요|현금으로 계산할게요|계산해 주세요|계산할게요|계산이요|결제해 주세요|결제할게요|결제요|{pay}로 할게요|{pay} 결제할게요|{pay} 되나요|{pay}요|{pay}로 계산해 주세요
{pay}로 결제해 주세요|{pay} 말고 {pay}로 할게요|{won}은 {pay} 나머지는 {pay}로요|일시불이요|일시불로 해 주세요|{num} 개월 할부로요|할부로 해 주세요|{num} 개월로 해 주세요|나눠서 결제할게요|반반 결제할게요|따로 계산할게요|각자 계산할게요
{won}만 {pay}로 할게요|다 됐어요|그게 다예요|그거면 돼요|그렇게 해 주세요|이대로 결제해 주세요|주문 끝났어요|더 없어요|이제 됐어요|이상이에요|이게 전부예요|확인이요|네 맞아요 결제할게요|네 {pay}로요|아니요 {pay}로 할게요
카드 여기 있어요|카드 꽂았어요|카드 댔어요|어디에 대면 돼요|여기에 대면 되나요|결제가 안 돼요|결제 됐나요|결제 취소해 주세요|다시 결제할게요|다른 카드로 할게요|잔액이 부족한가요|비밀번호 입력했어요|서명했어요|쿠폰 있어요|상품권 써도 돼요
포인트로 결제할게요|포인트 쓸게요|포인트 {num} 점 쓸게요|기프티콘 있어요|팁은 괜찮아요|영수증 두 장 주세요|계좌이체 할게요|큐알로 할게요
""",
    "help": """
도와주세요|도와줘|직원 불러 주세요|직원분 불러 주세요|사람 불러 주세요|사장님|저기요|여기요|어떻게 주문해요|어떻게 해요|어떻게 쓰는 거예요|사용법 알려 주세요|안 들려요|잘 안 들려요|크게 말해 주세요|다시 말해 주세요|다시 한번 말해 주세요|뭐라고요
천천히 말해 주세요|무슨 말인지 모르겠어요|영어로 해 주세요|한국어로 해 주세요|언어 바꿔 주세요|글씨 크게 해 주세요|처음으로|처음으로 돌아가 주세요|뒤로 가 주세요|이전으로|다음|다음 페이지|멈춰|그만|잠깐만요|잠시만요|기다려 주세요|좀 이따 할게요
소리 키워 주세요|소리 줄여 주세요|조용히 해 줘|화면이 안 보여요|화면이 멈췄어요|안 돼요|왜 안 돼요|고장 났어요|물 좀 주세요|티슈 좀 주세요|빨대 주세요|얼음물 주세요|앞접시 주세요|숟가락 하나 주세요|포크 {q} 주세요|봉투 하나 주세요
안녕하세요|안녕하세요 주문할게요|감사합니다|고맙습니다|수고하세요|많이 파세요|안녕히 계세요|또 올게요|맛있게 먹었어요|죄송합니다|미안해요|괜찮습니다|실례합니다
""",
}
_SHAPES = {kind: [shape for line in text.strip().split("\n") for shape in line.split("|")] for kind, text in _SHAPES.items()}

SHORT = """네|네|네|네 네|네 맞아요|네 맞습니다|네 그렇게 해 주세요|네 주세요|네 좋아요|네 결제할게요|예|예|예 맞아요|예 그래요|예 예|응|응|응 맞아|응 그래|어|어 맞아|아니요|아니요|아니요|아뇨|아뇨|아니|아니야|아니 아니|아니에요
아니요 됐어요|아니요 괜찮아요|아니요 없어요|아니오|됐어요|됐습니다|괜찮아요|괜찮습니다|좋아요|좋아|좋습니다|맞아요|맞아|맞습니다|그래요|그래|그럼요|그렇죠|틀려요|틀렸어요|싫어요|싫어|없어요|있어요|주세요|취소|취소요|취소해|취소해 주세요
카드|카드요|카드로|현금|현금이요|삼성페이|카카오페이|애플페이|네이버페이|쿠폰|포인트|상품권|결제|결제요|계산|계산이요|포장|포장이요|포장해 주세요|매장|매장이요|매장에서요|먹고 갈게요|가져갈게요|여기서 먹을게요|하나|하나요|둘|둘이요|셋|셋이요|넷|다섯
두 개|두 개요|세 개요|한 개|한 잔|한 잔이요|두 잔|두 잔이요|세 잔|네 잔|한 병|두 병|한 그릇|두 그릇|일 인분|이 인분|삼 인분|이 인분이요|하나 더|하나 더요|하나만|하나만요|더요|그만|그만요|다음|이전|처음|도움말|도와주세요|영수증|영수증이요|확인|다시
아이스|아이스요|아이스로|아이스로요|따뜻하게|따뜻한 거|따뜻한 거요|핫|뜨거운 거|차가운 거|시원한 거|큰 거|큰 거요|작은 거|작은 거요|라지|라지요|레귤러|스몰|보통|보통이요|곱빼기|곱빼기요|맵게|안 맵게|덜 맵게|순한맛|매운맛|중간|많이|적게|빼고|없이
일|이|삼|사|오|육|칠|팔|구|십|영|공|일 번|이 번|삼 번|일번이요|첫 번째|두 번째|세 번째|왼쪽|오른쪽|위에 거|아래 거|저기요|여기요|잠깐만|잠깐만요|잠시만요|음|글쎄요|몰라요|모르겠어요|뭐|뭐라고요|왜요|얼마|얼마예요|끝|끝이요|그게 다예요""".replace("\n", "|").split("|")

_FILLERS = "음|어|저기요|저|그|아|저기|그러면|그럼|일단|여기|그냥|이제|자|음 저|어 그|아 네|네|안녕하세요|아 그리고|그리고|또|아 맞다|잠깐만요|그 뭐지|뭐더라|있잖아요|혹시|제가|우리|사장님".split("|")
_GIVE = """주세요|주세요|주세요|주세요|주세요|줘|줘요|주실래요|주시겠어요|주십시오|주실 수 있나요|부탁드려요|부탁드립니다|부탁해요|부탁합니다|할게요|할게|할래요|하겠습니다|하고 싶어요|시킬게요|시킬게|주문할게요|주문이요|주문하겠습니다|주문하고 싶은데요|먹을게요|먹을래요|마실게요|마실래
살게요|담아 주세요|추가해 주세요|추가요|넣어 주세요|해 주세요|해줘|만들어 주세요|포장해 주세요|포장이요|포장할게요|포장 부탁드려요|테이크아웃이요|가져갈게요|먹고 갈게요|매장에서 먹을게요|있어요|있나요|되나요|될까요|좀 주세요|좀 줘|좀 부탁드려요|빨리 주세요|빨리요|같이 주세요|따로 주세요|준비해 주세요
내주세요|갖다주세요|하나만 주세요|먼저 주세요|나중에 주세요|이렇게 주세요|이렇게요|입니다|이요|요|로 할게요|로 주세요|결제해 주세요|계산해 주세요|얼마예요""".replace("\n", "|").split("|")
_AND = "하고|그리고|이랑|또|아 그리고|그다음에|거기에|하고요|에다가|에|다음에|추가로|플러스|와|음|하고 또".split("|")
_PAY = "카드|신용카드|체크카드|현금|삼성페이|애플페이|카카오페이|네이버페이|제로페이|페이코|쿠폰|상품권|포인트|교통카드|기프트카드|법인카드|큐알코드|계좌이체|휴대폰|구글페이|토스|지역화폐|모바일카드|선불카드".split("|")


def quantity(random):
    kind = random.random()
    if kind < 0.12:
        return random.choice(words.NATIVE)
    number = random.choice((1, 1, 1, 2, 2, 2, 3, 3, 4, 4, 5, 5, 6, 7, 8, 9, 10)) if kind < 0.9 else random.randint(11, 59)
    if kind > 0.76 and kind < 0.9:
        return words.sino(number) + random.choice(("", " ")) + random.choice(words.SINO_COUNTERS)
    return words.native(number) + random.choice((" ", " ", "")) + random.choice(words.COUNTERS)


def option(random):
    kind = random.random()
    if kind < 0.5:
        return random.choice(words.TEMPERATURE)
    return random.choice(words.SIZES if kind < 0.8 else words.EXTRAS)


def ordered(random):
    """One line of an order: options, name, quantity in one of the usual sequences."""
    name, count = words.item(random), quantity(random)
    parts = random.choice((f"{name} {count}", f"{name} {count}", f"{{o}} {name} {count}", f"{name} {{o}} {count}", f"{name} {count} {{x}}",
                           f"{{o}} {{o}} {name} {count}", f"{name} {{size}} {count}", f"{{size}} {name} {count}", name, f"{{o}} {name}", f"{name} {{o}}"))
    return fill(random, parts)


def digits(random, count):
    """Digits one by one, repeats on purpose: 구구 must not become 구."""
    out, zero = [], random.choice("영공공")
    for _ in range(count):
        digit = out[-1] if out and random.random() < 0.3 else random.choice([zero] + words.SINO[1:])
        out.append(digit)
    return out


def phone(random):
    groups = random.choice(((3, 4, 4), (3, 4, 4), (4, 4), (2, 3, 4)))
    said = ["".join(digits(random, size)) for size in groups]
    if random.random() < 0.6 and groups[0] == 3:
        said[0] = "공일공"
    return random.choice((" ", " 에 ", "")).join(said)


def won(random):
    step = random.choice((100, 100, 500, 500, 1000, 10))
    value = step * random.randint(1, random.choice((20, 100, 500)))
    text = words.sino(value)
    if random.random() < 0.5:
        text = text.replace("만", "만 ").strip()
    return text + random.choice((" 원", "원"))


_SLOTS = {
    "n": words.item, "q": quantity, "o": option, "x": lambda r: r.choice(words.EXTRAS), "size": lambda r: r.choice(words.SIZES),
    "give": lambda r: r.choice(_GIVE), "filler": lambda r: r.choice(_FILLERS), "and": lambda r: r.choice(_AND), "pay": lambda r: r.choice(_PAY),
    "won": won, "phone": phone, "num": lambda r: words.sino(r.randint(1, r.choice((9, 30, 120)))), "hour": lambda r: words.native(r.randint(1, 12)),
    "eul": lambda r: words.particle(words.item(r), "을를"), "i": lambda r: words.particle(words.item(r), "이가"),
    "neun": lambda r: words.particle(words.item(r), "은는"), "ro": lambda r: words.particle(words.item(r), "으로/로"),
    "ordered": ordered, "list": lambda r: f" {r.choice(('', '', r.choice(_AND)))} ".join(ordered(r) for _ in range(r.choice((1, 1, 2, 2, 3)))),
}


def fill(random, shape):
    text = re.sub(r"\{(\w+)\}", lambda match: _SLOTS[match.group(1)](random), shape)
    return re.sub(r" +", " ", text).strip()


def domain(random):
    kind = random.choices(("order", "change", "ask", "pay", "help"), (50, 20, 15, 10, 5))[0]
    return fill(random, random.choice(_SHAPES[kind]))


def short(random):
    kind = random.random()
    if kind < 0.75:
        return random.choice(SHORT)
    if kind < 0.85:
        return quantity(random) + random.choice(("", "", "요", "이요"))
    return random.choice((words.item, option))(random) + random.choice(("", "", "요", "이요"))


_PARTICLES = "은 는 이 가 을 를 에 에서 의 와 과 하고 랑 도 만 까지 부터 으로 로 보다 처럼 마다 밖에 조차 에게 한테 요 이요 들 께서 이나 라도".split()
_ENDINGS = "해요 합니다 했어요 할게요 하세요 할까요 하네요 하지만 해서 하면 하는데 하고 했는데 할래 됩니다 돼요 됐어요 되나요 입니다 이에요 예요 인가요 있어요 없어요 같아요 싶어요 거예요 겠습니다 습니까 군요".split()


def diverse(random):
    kind = random.random()
    if kind < 0.45:  # dictionary words, some with particles and endings
        said = []
        for _ in range(random.choice((1, 2, 2, 3, 3, 4, 5))):
            word = random.choice(words.dictionary())
            said.append(word + (random.choice(_PARTICLES + _ENDINGS) if random.random() < 0.45 else ""))
        return random.choice((" ", " ", "")).join(said) if len(said) < 3 else " ".join(said)
    if kind < 0.65:  # invented names, alone, in a row, or inside a sentence
        if random.random() < 0.4:
            return fill(random, random.choice(_SHAPES["order"]).replace("{n}", words.invented(random)))
        return " ".join(words.invented(random) + (random.choice(_PARTICLES) if random.random() < 0.3 else "") for _ in range(random.randint(1, 4)))
    if kind < 0.77:  # number drills
        drill = random.random()
        if drill < 0.35:
            return random.choice(("", " ")).join(digits(random, random.randint(2, 11)))
        if drill < 0.55:
            return " ".join(quantity(random) for _ in range(random.randint(2, 5)))
        if drill < 0.8:
            return " ".join(won(random) for _ in range(random.randint(1, 3)))
        return words.sino(random.randint(1, random.choice((99, 9999, 99999999)))) + random.choice(("", "번", "원", "개", "점", "년", "호"))
    if kind < 0.9:  # names in a row, as on a list
        return " ".join(words.item(random) for _ in range(random.randint(1, 5)))
    syllables = words.common_syllables()
    return " ".join("".join(random.choice(syllables) for _ in range(random.randint(1, 6))) for _ in range(random.randint(1, 5)))
