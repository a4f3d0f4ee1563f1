"""Draws the facts of stories about companies and technology."""

from tools.newswire.facts import Desk, Values

SECTORS = {
    "food": ("Foods", "Kitchens", "Bakeries"),
    "clothing": ("Apparel", "Outfitters", "Clothing"),
    "packaging": ("Packaging", "Containers", "Board"),
    "furniture": ("Furniture", "Interiors", "Home"),
    "engineering": ("Engineering", "Pumps", "Tools"),
    "shipping": ("Lines", "Freight", "Marine"),
    "energy": ("Energy", "Power", "Solar"),
    "brewing": ("Breweries", "Drinks", "Brewing"),
    "toy": ("Toys", "Games", "Play"),
    "pharmaceutical": ("Pharma", "Labs", "Medical"),
}


def draw_company(desk: Desk, shape: str) -> Values:
    """A year's results, or a takeover."""
    sector = desk.pick(tuple(SECTORS))
    before = desk.rng.randint(120, 1400) / 10
    growth = desk.rng.randint(4, 58)
    profit = round(before * (1 + growth / 100), 1)
    if shape == "bid":
        growth, profit = desk.rng.randint(12, 61), desk.rng.randint(900, 24000) / 10
    elif shape == "loss":
        profit = desk.rng.randint(31, 940) / 10
    growth = growth if shape == "bid" else round((profit / before - 1) * 100)
    rival = f"{desk.names.coin()} {desk.pick(('Group', 'Holdings', 'International'))}"
    return {
        "firm": f"{desk.names.coin()} {desk.pick(SECTORS[sector])}",
        "rival": rival,
        "sector": sector,
        "boss": desk.names.person(),
        "oldboss": desk.names.person(),
        "profit": desk.local_money(profit * 1e6),
        "before": desk.local_money(before * 1e6),
        "pct": f"{growth}%",
        "jump": desk.percent(4, 23),
        "end": desk.date(-desk.rng.randint(40, 95)),
        "div": desk.pick(
            [f"{n} {'cents' if desk.country.currency != '£' else 'pence'}" for n in range(3, 48)]
        ),
        "due": desk.date(desk.rng.randint(20, 150)),
        "jobs": desk.number(desk.between(60, 980)),
        "save": desk.money(desk.rng.uniform(4, 90) * 1e6),
        "driver": desk.pick(
            ("strong sales abroad", "cheaper fuel", "demand for smaller packs", "online orders",
             "a cold winter", "a long-term army contract", "repeat customers",
             "a rush for its new range", "lower shipping costs", "growth in Asia",
             "sales to hospitals", "a popular subscription service")
        ),
        "woe": desk.pick(
            ("rising energy bills", "a failed computer system", "weak demand in Europe",
             "the loss of its largest customer", "higher wage costs", "a costly product recall",
             "a fire at a warehouse", "delays at ports", "unsold stock", "a warm winter",
             "cheap imports", "a write-down on property")
        ),
    }  # fmt: skip


def draw_technology(desk: Desk, shape: str) -> Values:
    """A new device, a data theft or a recall."""
    us = desk.country.american
    thing, feature = desk.pick(
        (
            ("camera", "sees in the dark"), ("lamp", "copies daylight"),
            ("watch", "measures blood sugar"), ("kettle", "boils in 20 seconds"),
            ("drone", "finds lost animals"), ("battery", "charges in four minutes"),
            ("hearing aid", "translates speech"), ("lock", "opens to a voice"),
            ("heater", "burns no fuel"), ("scooter", "folds into a bag"),
            ("fridge", "warns of spoiled food"), ("oven", "weighs what it cooks"),
            ("robot", "folds laundry"), ("radio", "needs no battery"),
        )
    )  # fmt: skip
    users = desk.between(2300, 940000)
    return {
        "firm": f"{desk.names.coin()} {desk.pick(('Devices', 'Systems', 'Robotics', 'Networks'))}",
        "product": f"{desk.names.coin()} {desk.pick(('One', 'Mini', 'Go', 'Plus', 'Air'))}",
        "thing": thing,
        "feature": feature,
        "price": desk.price(desk.between(30, 1400)),
        "boss": desk.names.person(),
        "spotter": desk.names.person(),
        "djob": desk.pick(("locksmith", "student", "retired engineer", "librarian", "dentist",
                           "postal worker", "night nurse", "piano teacher", "bus driver")),
        "users": f"{users if shape == 'breach' else desk.between(210, 4800):,} "
        + ("customers" if shape == "breach" else "volunteers"),
        "users2": f"{users:,} units",
        "cases": f"{desk.rng.randint(11, 160)} cases",
        "months": f"{desk.number(desk.rng.randint(2, 14))} months",
        "due": desk.date(desk.rng.randint(9, 130)),
        "fine": desk.money(desk.rng.uniform(0.4, 60) * 1e6),
        "flaw": desk.pick(
            ("the battery runs down too soon", "it is too loud", "it stops working in the cold",
             "it will not work without a phone", "the lid breaks easily",
             "it sends data abroad", "the buttons are too small", "it gets hot to the touch")
        ),
        "loot": desk.pick(
            ("bank details and addresses", "names and birthdays", "medical notes",
             "passport scans", "photographs and messages", "card numbers and telephone numbers",
             "door codes", "travel records")
        ),
        "hole": desk.pick(
            ("an old account nobody had deleted", "a stolen laptop", "a fake invoice",
             "a password written on a poster", "a printer with no protection",
             "an update that was never installed", "a test server left open",
             "a supplier's computer")
        ),
        "hole2": desk.pick(
            ("a thin wire", "the charging plug", "a cheap fuse", "the battery seal",
             "a plastic clip", "a soldering fault", "a line of software", "a worn spring")
        ),
        "danger": desk.pick(
            ("it can catch fire", "it can give an electric shock", "its battery can burst",
             "the casing can melt", "it can overheat at night", "sharp parts can come loose")
        ),
        "colour": "color" if us else "colour",
    }  # fmt: skip
