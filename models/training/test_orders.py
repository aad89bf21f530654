"""Models the examination paper: orders over the test menus, with what should be understood from each.

Its shapes are written apart from those of the training text; every order names items that training never said.
"""
import english_text
import korean_words as words

_BEFORE = {"cafe": ("따뜻한", "핫", "뜨거운", "아이스", "차가운", "시원한", "레귤러", "작은", "라지", "큰"), "noodles": ("매운맛", "순한맛"), "corner_shop": ("작은", "큰", "소형", "대형")}
_BEHIND = {"cafe": {"핫": "핫으로", "아이스": "아이스로", "레귤러": "레귤러로", "라지": "라지로", "보통": "보통 사이즈로"},
           "noodles": {"순한맛": "순한맛으로", "매운맛": "매운맛으로", "보통맛": "보통맛으로", "안 맵게": "안 맵게", "아주 맵게": "아주 맵게", "곱빼기": "곱빼기로", "보통": "보통으로"},
           "corner_shop": {"소형": "소형으로", "대형": "대형으로"}}
_ENDS = "주세요|주세요|주세요|부탁드릴게요|부탁드려요|줘|주실래요|로 주문할게요|주문하려고요|먹을게요|사 갈게요|포장해 주실 수 있나요|이요|요||".split("|")
_STARTS = "||||||음|저|저기요|안녕하세요|어|그럼|여기".split("|")
_JOINS = " 하고 | 그리고 | | 이랑 | 또 ".split("|")


def korean_count(random, counter, quantity):
    if counter == "인분":
        return words.sino(quantity) + random.choice(("", " ")) + counter
    if counter in ("개", "잔", "통") and random.random() < 0.25:
        return words.native(quantity, counting=False)
    return words.native(quantity) + " " + counter


def chosen(random, menu, item, share=0.55):
    """Some option values for an item: [(group, value)]."""
    groups = {group["id"]: group for group in menu["optionGroups"]}
    return [(name, random.choice(groups[name]["values"])) for name in item.get("options", ()) if random.random() < share]


def korean_line(random, title, menu, item):
    quantity = random.choice((1, 1, 1, 2, 2, 2, 3, 3, 4, 5, 6, 8, 10, 12))
    name, before, behind, options = random.choice(item["names"]["ko"]), [], [], {}
    for group, value in chosen(random, menu, item):
        said = random.choice(value["names"]["ko"])
        if said in _BEFORE[title] and (said not in _BEHIND[title] or random.random() < 0.6):
            before.append(said)
        elif said in _BEHIND[title]:
            behind.append(_BEHIND[title][said])
        else:
            continue
        options[group] = value["id"]
    count = korean_count(random, item["counter"], quantity)
    if quantity == 1 and random.random() < 0.12 and not behind:
        count = ""
    tail = behind + [count] if random.random() < 0.6 else [count] + behind
    return " ".join(part for part in before + [name] + tail if part), {"id": item["id"], "quantity": quantity, "options": options}


def korean(random, title, menu):
    """-> (text, expected items)."""
    picked = random.sample(menu["items"], random.choice((1, 1, 1, 2, 2, 2, 3)))
    lines = [korean_line(random, title, menu, item) for item in picked]
    text = lines[0][0]
    for line, _ in lines[1:]:
        text += random.choice(_JOINS) + line
    end = random.choice(_ENDS)
    glue = "" if end in ("이요", "요") else " "
    if end.startswith("로 "):
        text, end, glue = text, end[2:], " "
    if end in ("이요", "요"):
        end = "이요" if words.has_coda(text) else "요"
    text = f"{random.choice(_STARTS)} {text}{glue}{end}".replace("  ", " ").strip()
    return text, [expected for _, expected in lines]


def plural(name):
    if name.endswith("s"):
        return name
    return name[:-1] + "ies" if name.endswith("ly") else name + ("es" if name.endswith(("sh", "ch")) else "s")


def english(random, menu):
    lines = []
    for item in random.sample(menu["items"], random.choice((1, 1, 2, 2, 3))):
        quantity, options, before = random.choice((1, 1, 1, 2, 2, 3, 4, 5)), {}, []
        for group, value in chosen(random, menu, item):
            options[group] = value["id"]
            before.append(random.choice(value["names"]["en"]))
        first = random.choice(("a", "one")) if quantity == 1 else english_text.number(quantity)
        name = item["names"]["en"][0]
        lines.append((" ".join([first] + before + [plural(name) if quantity > 1 else name]), {"id": item["id"], "quantity": quantity, "options": options}))
    text = random.choice((" and ", " and ", " ")).join(line for line, _ in lines)
    shape = random.choice(("{} please", "could we get {}", "i'll take {}", "{}", "hello can i have {} please", "we would like {}", "let me have {}", "{} to go please"))
    return shape.format(text), [expected for _, expected in lines]
