"""Models what people say in English at a counter, and random English so that item names need not be known."""
import re

WORDS = "/usr/share/dict/american-english"

_ITEMS = """americano|iced americano|latte|cappuccino|espresso|double espresso|mocha|vanilla latte|caramel macchiato|cold brew|green tea|black tea|earl grey|chamomile|peppermint tea|milk tea|matcha latte|hot chocolate|lemonade
orange juice|apple juice|tomato juice|banana milk|strawberry smoothie|mango smoothie|iced tea|ginger tea|chai latte|bubble tea|water|sparkling water|cola|diet cola|ginger ale|tonic water|beer|red wine|cider|croissant|bagel|muffin
blueberry muffin|scone|cookie|chocolate chip cookie|brownie|donut|waffle|pancakes|cheesecake|carrot cake|chocolate cake|apple pie|pecan pie|toast|garlic bread|baguette|sandwich|club sandwich|ham and cheese sandwich|egg salad|wrap
burrito|taco|burger|cheeseburger|chicken burger|veggie burger|fries|sweet potato fries|onion rings|nuggets|hot dog|pizza|margherita|pepperoni pizza|pasta|spaghetti|lasagna|risotto|steak|fried chicken|chicken wings|tomato soup
mushroom soup|ramen|udon|noodles|fried rice|bibimbap|bulgogi|kimchi stew|dumplings|sushi|salmon bowl|ice cream|gelato|sundae|yogurt|granola|fruit cup|banana|apple|orange|chips|crackers|chocolate bar|candy|gum|nuts|trail mix
umbrella|batteries|charger|phone cable|notebook|pen|envelope|stamps|tissues|wet wipes|toothbrush|toothpaste|soap|shampoo|sunscreen|lip balm|aspirin|cough syrup|cold medicine|throat lozenges|vitamins|eye drops|face mask|tea bags
coffee beans|gift card|flowers|greeting card|tote bag|paper bag|plastic bag|lighter|magazine|newspaper|ticket|day pass|sim card""".replace("\n", "|").split("|")
_FLAVOURS = "vanilla|caramel|hazelnut|chocolate|strawberry|blueberry|raspberry|mango|peach|lemon|lime|orange|cherry|coconut|almond|peanut|maple|honey|cinnamon|ginger|mint|green|spicy|crispy|grilled|roasted|smoked|creamy|fresh|garlic|cheddar|chicken|beef|pork|tuna|salmon|shrimp|mushroom|spinach|avocado|tomato|sweet|salted|double|mini|classic|house|organic|sugar free".split("|")
_BASES = "latte|coffee|tea|soda|juice|smoothie|shake|cake|cookie|muffin|bagel|roll|pie|bread|toast|sandwich|wrap|burger|pizza|pasta|salad|soup|stew|curry|rice|noodles|bowl|dumplings|fries|wings|skewers|chips|bar|candy|jelly|pudding|ice cream|yogurt|sauce|cream|syrup|pills|tablets|spray|lotion|bottle|bag|box|set|combo|platter".split("|")
_NUMBERS = "one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen eighteen nineteen".split()
_TENS = "twenty thirty forty fifty sixty seventy eighty ninety".split()

_SHAPES = """{list} please|{list} please|{list} please|{list}|{list}|can i get {list}|can i get {list} please|could i have {list}|could i have {list} please|i would like {list}|i'd like {list}|i'd like {list} please|i'll have {list}|i'll take {list}|give me {list}|let me get {list}|we'll have {list}
i want {list}|um {list}|uh can i get {list}|hi can i have {list}|hello i'd like {list} please|may i have {list}|just {list}|just {list} thanks|{list} to go|{list} to go please|{list} for here|and {list}|also {list}|plus {list}|make that {count} {n}|make it {count}|make it a {size}
{count} more {n}|one more {n} please|add {list}|add {list} please|remove the {n}|take off the {n}|no {n}|cancel the {n}|cancel that|cancel everything|cancel my order|start over|actually {list}|actually make that {count}|no not the {n} the {n}|change the {n} to {n}|change it to {n}|instead of {n} i'll have {n}
sorry i meant {n}|i said {n}|that's wrong|not {count} {count}|{n} instead|without {n}|with {n}|with extra {n}|no ice|less ice|extra hot|no sugar|half sugar|with oat milk|with soy milk|decaf please|hot or iced|do you have {n}|do you have any {n}|how much is the {n}|how much is {a}|how much is that
how much are {count} {n}|what's in the {n}|is the {n} spicy|what do you recommend|what's popular|show me the menu|what's the total|how much altogether|read my order|what did i order|repeat that please|pardon|say that again|speak slower|speak louder|help|help me|call someone|i need help
pay by card|card please|by card|i'll pay with card|i'll pay cash|cash please|pay with my phone|apple pay|google pay|samsung pay|check out|checkout please|i'm done|that's all|that's it|that's everything|pay now|i'd like to pay|the bill please|receipt please|no receipt|no thanks|split the bill|separate bills
here is my card|tap here|it didn't work|try again|another card|refund please|do you take cards|do you take {n}|is there a discount|i have a coupon|use my points|gift card|my number is {digits}|{digits}|{price}|it's {price}|is it {price}|{price} please|table {count}|number {count}|for {count} people|in {count} minutes
switch to english|switch to korean|korean please|go back|next|previous|stop|wait|hold on|one moment|thank you|thanks|thank you very much|good morning|good afternoon|excuse me|hello|bye|see you""".replace("\n", "|").split("|")

SHORT = """yes|yes|yes please|yeah|yep|yup|sure|okay|ok|correct|that's right|right|no|no|nope|no thanks|no thank you|not now|cancel|stop|card|card please|cash|cash please|to go|for here|hot|hot please|iced|iced please|cold|small|medium|large|regular|big|one|two|three|four|five|six|seven|eight|nine|ten|just one
one more|two please|three please|that's all|that's it|done|pay|check out|help|back|next|again|more|less|none|both|the first one|the second one|left|right|spicy|mild|receipt|no receipt|total|menu|coupon|points|hello|thanks|wait|what|sorry|please|fine|good|great|maybe|i don't know""".replace("\n", "|").split("|")


def number(value):
    if value == 0:
        return "zero"
    if value < 20:
        return _NUMBERS[value - 1]
    if value < 100:
        return _TENS[value // 10 - 2] + (" " + _NUMBERS[value % 10 - 1] if value % 10 else "")
    if value < 1000:
        return _NUMBERS[value // 100 - 1] + " hundred" + (" " + number(value % 100) if value % 100 else "")
    return number(value // 1000) + " thousand" + (" " + number(value % 1000) if value % 1000 else "")


_dictionary = []


def dictionary():
    if not _dictionary:
        with open(WORDS, encoding="utf-8") as lines:
            _dictionary.extend(sorted({w for w in map(str.strip, lines) if re.fullmatch("[a-z]{2,11}", w)}))
    return _dictionary


def item(random):
    kind = random.random()
    if kind < 0.45:
        return random.choice(_ITEMS)
    if kind < 0.75:
        return random.choice(_FLAVOURS) + " " + random.choice(_BASES)
    return " ".join(random.choice(dictionary()) for _ in range(random.choice((1, 1, 2))))


def size(random):
    return random.choice("small|medium|large|big|regular|hot|iced|cold|extra large|tall|spicy|mild|double|single|decaf|warm".split("|"))


def count(random):
    return number(random.choice((1, 1, 2, 2, 3, 3, 4, 5, 6, 7, 8, 9, 10, random.randint(1, 99))))


def line(random):
    start = random.choice(("a", "a", "one", "the", count(random), count(random), ""))
    of = random.choice(("", "", "", "", "bottles of ", "cups of ", "slices of ", "pieces of ", "bowls of ", "packs of ", "boxes of "))
    option = size(random) + " " if random.random() < 0.4 else ""
    tail = random.choice(("", "", "", "", " with no ice", " with extra shot", " no sugar", " extra spicy", " not spicy", " with oat milk", " to go", " on the side", " without onions"))
    plural = "s" if start not in ("a", "one", "the", "") and not of and random.random() < 0.8 else ""
    return f"{start} {option}{of}{item(random)}{plural}{tail}".strip()


_SLOTS = {
    "n": item, "size": size, "count": count, "a": line,
    "list": lambda r: r.choice((" and ", " and ", " ", " and also ", " plus ")).join(line(r) for _ in range(r.choice((1, 1, 1, 2, 2, 3)))),
    "digits": lambda r: " ".join(r.choice(["zero", "oh"] + _NUMBERS[:9]) for _ in range(r.randint(3, 9))),
    "price": lambda r: r.choice((number(r.randint(1, 99)) + " dollars", number(r.randint(1, 99)) + " fifty", number(100 * r.randint(5, 300)) + " won", number(r.randint(1, 40)) + " ninety nine")),
}


def domain(random):
    return re.sub(r"\{(\w+)\}", lambda match: _SLOTS[match.group(1)](random), random.choice(_SHAPES))


def diverse(random):
    kind = random.random()
    if kind < 0.7:
        return " ".join(random.choice(dictionary()) for _ in range(random.choice((1, 2, 3, 3, 4, 5))))
    if kind < 0.85:
        return " ".join(item(random) for _ in range(random.randint(1, 4)))
    return " ".join(number(random.randint(0, random.choice((9, 99, 9999)))) for _ in range(random.randint(1, 5)))


def sentence(random):
    kind = random.random()
    text = random.choice(SHORT) if kind < 0.12 else domain(random) if kind < 0.6 else diverse(random)
    return text
