"""Facts of stories about companies, technology, labour, education and the arts."""

from tools.newswire.draw import Draw, Values

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


def draw_company(draw: Draw, shape: str) -> Values:
    """Draw the facts of a year's results, or a takeover."""
    sector = draw.pick(tuple(SECTORS))
    before = draw.rng.randint(120, 1400) / 10
    growth = draw.rng.randint(4, 58)
    profit = round(before * (1 + growth / 100), 1)
    if shape == "bid":
        growth, profit = draw.rng.randint(12, 61), draw.rng.randint(900, 24000) / 10
    elif shape == "loss":
        profit = draw.rng.randint(31, 940) / 10
    growth = growth if shape == "bid" else round((profit / before - 1) * 100)
    rival = f"{draw.names.coin()} {draw.pick(('Group', 'Holdings', 'International'))}"
    return {
        "firm": f"{draw.names.coin()} {draw.pick(SECTORS[sector])}",
        "rival": rival,
        "sector": sector,
        "boss": draw.names.person(),
        "oldboss": draw.names.person(),
        "profit": draw.local_money(profit * 1e6),
        "before": draw.local_money(before * 1e6),
        "pct": f"{growth}%",
        "jump": draw.percent(4, 23),
        "end": draw.date(-draw.rng.randint(40, 95)),
        "div": draw.pick(
            [f"{n} {'cents' if draw.country.currency != '£' else 'pence'}" for n in range(3, 48)]
        ),
        "due": draw.date(draw.rng.randint(20, 150)),
        "jobs": draw.number(draw.between(60, 980)),
        "save": draw.money(draw.rng.uniform(4, 90) * 1e6),
        "driver": draw.pick(
            ("strong sales abroad", "cheaper fuel", "demand for smaller packs", "online orders",
             "a cold winter", "a long-term army contract", "repeat customers",
             "a rush for its new range", "lower shipping costs", "growth in Asia",
             "sales to hospitals", "a popular subscription service")
        ),
        "woe": draw.pick(
            ("rising energy bills", "a failed computer system", "weak demand in Europe",
             "the loss of its largest customer", "higher wage costs", "a costly product recall",
             "a fire at a warehouse", "delays at ports", "unsold stock", "a warm winter",
             "cheap imports", "a write-down on property")
        ),
    }  # fmt: skip


def draw_technology(draw: Draw, shape: str) -> Values:
    """Draw the facts of a new device, a data theft or a recall."""
    us = draw.country.american
    thing, feature = draw.pick(
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
    users = draw.between(2300, 940000)
    return {
        "firm": f"{draw.names.coin()} {draw.pick(('Devices', 'Systems', 'Robotics', 'Networks'))}",
        "product": f"{draw.names.coin()} {draw.pick(('One', 'Mini', 'Go', 'Plus', 'Air'))}",
        "thing": thing,
        "feature": feature,
        "price": draw.price(draw.between(30, 1400)),
        "boss": draw.names.person(),
        "spotter": draw.names.person(),
        "djob": draw.pick(("locksmith", "student", "retired engineer", "librarian", "dentist",
                           "postal worker", "night nurse", "piano teacher", "bus driver")),
        "users": f"{users if shape == 'breach' else draw.between(210, 4800):,} "
        + ("customers" if shape == "breach" else "volunteers"),
        "users2": f"{users:,} units",
        "cases": f"{draw.rng.randint(11, 160)} cases",
        "months": f"{draw.number(draw.rng.randint(2, 14))} months",
        "due": draw.date(draw.rng.randint(9, 130)),
        "fine": draw.money(draw.rng.uniform(0.4, 60) * 1e6),
        "flaw": draw.pick(
            ("the battery runs down too soon", "it is too loud", "it stops working in the cold",
             "it will not work without a phone", "the lid breaks easily",
             "it sends data abroad", "the buttons are too small", "it gets hot to the touch")
        ),
        "loot": draw.pick(
            ("bank details and addresses", "names and birthdays", "medical notes",
             "passport scans", "photographs and messages", "card numbers and telephone numbers",
             "door codes", "travel records")
        ),
        "hole": draw.pick(
            ("an old account nobody had deleted", "a stolen laptop", "a fake invoice",
             "a password written on a poster", "a printer with no protection",
             "an update that was never installed", "a test server left open",
             "a supplier's computer")
        ),
        "hole2": draw.pick(
            ("a thin wire", "the charging plug", "a cheap fuse", "the battery seal",
             "a plastic clip", "a soldering fault", "a line of software", "a worn spring")
        ),
        "danger": draw.pick(
            ("it can catch fire", "it can give an electric shock", "its battery can burst",
             "the casing can melt", "it can overheat at night", "sharp parts can come loose")
        ),
        "colour": "color" if us else "colour",
    }  # fmt: skip


TITLES = (
    ("The", "A", "Every", "One", "No"),
    ("Silent", "Yellow", "Borrowed", "Hollow", "Second", "Paper", "Winter", "Crooked", "Last",
     "Salt", "Burning", "Quiet", "Broken", "Distant", "Iron", "Velvet"),
    ("Harbour", "Orchard", "Ladder", "Lantern", "Kitchen", "Station", "Garden", "River", "Clock",
     "Window", "Bridge", "Meadow", "Letter", "Piano", "Tide", "Carnival"),
)  # fmt: skip


def draw_arts(draw: Draw, shape: str) -> Values:
    """Draw the facts of a prize, an auction or a cancelled festival."""
    words = [draw.pick(part) for part in TITLES]
    if draw.country.american:
        words[2] = words[2].replace("Harbour", "Harbor")
    estimate = draw.rng.uniform(15, 400) * 1e3
    money = estimate * draw.rng.uniform(3, 12) if shape == "auction" else (
        draw.rng.uniform(15, 120) * 1e3)  # fmt: skip
    if shape == "festival":
        money = draw.rng.uniform(0.2, 9) * 1e6
    festival = draw.pick(("Jazz Festival", "Book Fair", "Film Festival", "Folk Festival",
                          "Puppet Festival", "Opera Week", "Dance Festival"))  # fmt: skip
    return {
        "artist": draw.names.person(),
        "judge": draw.names.person(),
        "finder": draw.names.person(),
        "age": str(draw.rng.randint(23, 77)),
        "work": draw.pick(("novel", "opera", "documentary", "play", "album", "song cycle")),
        "title": '"' + " ".join(words) + '"',
        "prize": f"{draw.names.surname()} {draw.pick(('Prize', 'Award', 'Medal'))}",
        "fest": f"{draw.town} {festival}",
        "years": f"{draw.number(draw.rng.randint(3, 19))} years",
        "year": str(draw.today.year - draw.rng.randint(60, 190)),
        "year2": draw.year(1),
        "days": f"{draw.number(draw.rng.randint(3, 19))} days",
        "money": draw.money(money),
        "est": draw.money(estimate),
        "tickets": f"{draw.between(1200, 38000):,}",
        "due": draw.date(draw.rng.randint(12, 150)),
        "museum": f"the {draw.names.surname()} Gallery",
        "djob": draw.pick(("taxi driver", "school cook", "postman", "hospital porter", "welder",
                           "night watchman", "dental nurse", "crane driver", "gardener",
                           "delivery driver", "tram conductor")),
        "place": draw.pick(("a dentist's waiting room", "a station cafe", "a school corridor",
                            "a church vestry", "a barber's shop", "a care home",
                            "a farm kitchen", "a village pub")),
        "use": draw.pick(("a new roof", "a piano", "a year without a day job", "a music school",
                          "dentures and a dog", "school books", "a sailing boat",
                          "a trip round the world", "paying off a mortgage", "a garden studio")),
        "reason": draw.pick(("a waterlogged site", "the loss of its main sponsor",
                             "unsafe stage towers", "a dispute over noise", "unpaid bills",
                             "a shortage of stewards", "a bird nesting on the site",
                             "the withdrawal of its insurer", "a cracked roof at the hall")),
    }  # fmt: skip


def draw_education(draw: Draw, shape: str) -> Values:
    """Draw the facts of a school that closes, does well or bans something."""
    ends = ("High School", "Middle School") if draw.country.american else ("Academy", "School")
    before = draw.rng.randint(38, 69)
    word = "students" if draw.country.american else "pupils"
    return {
        "school": f"{draw.names.surname()} {draw.pick(ends)}",
        "school2": f"{draw.names.surname()} {draw.pick(ends)}",
        "uni": f"the University of {draw.names.town()}",
        "pupils": f"{draw.between(210, 1450):,} {word}",
        "year": str(draw.today.year - draw.rng.randint(48, 140)),
        "cost": draw.money(draw.rng.uniform(0.3, 14) * 1e6),
        "head": draw.names.person(),
        "star": draw.names.person(),
        "lead": draw.names.person(),
        "age": str(draw.rng.randint(17, 19)),
        "subject": draw.pick(("medicine", "physics", "law", "music", "marine biology", "history",
                              "engineering", "Japanese", "geology", "nursing")),
        "pct": f"{draw.rng.randint(before + 9, 98)}%",
        "pct2": f"{before}%",
        "change": draw.pick(("breakfast for everyone", "smaller classes", "longer lunch breaks",
                             "Saturday lessons", "a later start to the day",
                             "older children teaching younger ones", "weekly calls to parents",
                             "a ban on homework", "a new library", "an hour of sport each day")),
        "others": draw.number(draw.rng.randint(5, 60)),
        "woe": draw.pick(("falling numbers", "a cracked foundation", "asbestos in the roof",
                          "a shortage of teachers", "a run of poor inspections",
                          "the loss of its bus route", "debts left by a sports hall",
                          "rising damp")),
        "names": f"{draw.between(110, 4200):,}",
        "thing": draw.pick(("mobile phones", "packed lunches", "homework", "hugging", "trainers",
                            "energy drinks", "football", "snowballs", "make-up",
                            "smart watches", "scooters")).replace(
            "mobile phones", "cellphones" if draw.country.american else "mobile phones"),
        "trigger": draw.pick(("a broken arm in the playground", "a string of thefts",
                              "a fight filmed on the stairs", "a complaint from the fire service",
                              "a fall in grades", "a letter from a doctor",
                              "three accidents in a week", "a study of sleep")),
        "penalty": draw.pick(("a day of litter picking", "a call to the parents",
                              "an hour of detention", "a written warning",
                              "a week of lunchtime duties", "the loss of a school trip")),
        "due": draw.date(draw.rng.randint(10, 140)),
    }  # fmt: skip


def draw_labour(draw: Draw, shape: str) -> Values:
    """Draw the facts of a strike, its end or a round of job cuts."""
    offer = draw.rng.randint(21, 49) / 10
    what = draw.pick(("Port", "Steelworks", "Airport", "Shipyard", "Sugar Mill", "Bus Company"))
    staff = draw.pick(("dockers", "drivers", "cleaners", "mechanics", "electricians", "loaders",
                       "porters", "technicians"))  # fmt: skip
    firm = draw.pick((f"{draw.town} {what}", f"{draw.names.coin()} Logistics",
                      f"{draw.names.coin()} Motors", f"{draw.names.coin()} Foods"))  # fmt: skip
    cost = draw.rng.uniform(40, 900) * 1e3
    return {
        "firm": firm,
        "workers": f"{draw.between(120, 3800):,} {staff}",
        "jobs": f"{draw.between(80, 2400):,}",
        "lead": draw.names.person(),
        "boss": draw.names.person(),
        "issue": draw.pick(("pay", "night shifts", "unsafe machines", "unpaid breaks",
                            "a new roster", "pensions", "sick pay", "the use of agency staff",
                            "cameras in the changing rooms", "split shifts")),
        "ask": f"{round(offer + draw.rng.randint(15, 60) / 10, 1):g}%",
        "offer": f"{offer:g}%",
        "share": draw.percent(62, 96),
        "cost": draw.money(cost if shape == "strike" else cost * 12),
        "length": draw.pick(("11 days", "three weeks", "five weeks", "17 days", "two months",
                             "four weeks", "nine days", "seven weeks", "23 days")),
        "perk": draw.pick(("an extra day off", "a year's health cover", "free work boots",
                           "six months' pay", "a bonus at New Year", "help with finding work",
                           "paid breaks", "three months' wages", "a place at a training college",
                           "a guarantee against further cuts")),
        "reason": draw.pick(("falling orders", "new machines", "dear electricity",
                             "the loss of a contract", "competition from abroad",
                             "a merger of two depots", "high interest rates", "weak sales")),
        "due": draw.date(draw.rng.randint(3, 60)),
    }  # fmt: skip
