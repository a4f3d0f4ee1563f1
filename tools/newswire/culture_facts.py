"""Draws the facts of stories about the arts, schools, work and wildlife."""

from tools.newswire.facts import Desk, Values

TITLES = (
    ("The", "A", "Every", "One", "No"),
    ("Silent", "Yellow", "Borrowed", "Hollow", "Second", "Paper", "Winter", "Crooked", "Last",
     "Salt", "Burning", "Quiet", "Broken", "Distant", "Iron", "Velvet"),
    ("Harbour", "Orchard", "Ladder", "Lantern", "Kitchen", "Station", "Garden", "River", "Clock",
     "Window", "Bridge", "Meadow", "Letter", "Piano", "Tide", "Carnival"),
)  # fmt: skip


def draw_arts(desk: Desk, shape: str) -> Values:
    """A prize, an auction or a cancelled festival."""
    words = [desk.pick(part) for part in TITLES]
    if desk.country.american:
        words[2] = words[2].replace("Harbour", "Harbor")
    estimate = desk.rng.uniform(15, 400) * 1e3
    money = estimate * desk.rng.uniform(3, 12) if shape == "auction" else (
        desk.rng.uniform(15, 120) * 1e3)  # fmt: skip
    if shape == "festival":
        money = desk.rng.uniform(0.2, 9) * 1e6
    festival = desk.pick(("Jazz Festival", "Book Fair", "Film Festival", "Folk Festival",
                          "Puppet Festival", "Opera Week", "Dance Festival"))  # fmt: skip
    return {
        "artist": desk.names.person(),
        "judge": desk.names.person(),
        "finder": desk.names.person(),
        "age": str(desk.rng.randint(23, 77)),
        "work": desk.pick(("novel", "opera", "documentary", "play", "album", "song cycle")),
        "title": '"' + " ".join(words) + '"',
        "prize": f"{desk.names.surname()} {desk.pick(('Prize', 'Award', 'Medal'))}",
        "fest": f"{desk.town} {festival}",
        "years": f"{desk.number(desk.rng.randint(3, 19))} years",
        "year": str(desk.today.year - desk.rng.randint(60, 190)),
        "year2": desk.year(1),
        "days": f"{desk.number(desk.rng.randint(3, 19))} days",
        "money": desk.money(money),
        "est": desk.money(estimate),
        "tickets": f"{desk.between(1200, 38000):,}",
        "due": desk.date(desk.rng.randint(12, 150)),
        "museum": f"the {desk.names.surname()} Gallery",
        "djob": desk.pick(("taxi driver", "school cook", "postman", "hospital porter", "welder",
                           "night watchman", "dental nurse", "crane driver", "gardener",
                           "delivery driver", "tram conductor")),
        "place": desk.pick(("a dentist's waiting room", "a station cafe", "a school corridor",
                            "a church vestry", "a barber's shop", "a care home",
                            "a farm kitchen", "a village pub")),
        "use": desk.pick(("a new roof", "a piano", "a year without a day job", "a music school",
                          "dentures and a dog", "school books", "a sailing boat",
                          "a trip round the world", "paying off a mortgage", "a garden studio")),
        "reason": desk.pick(("a waterlogged site", "the loss of its main sponsor",
                             "unsafe stage towers", "a dispute over noise", "unpaid bills",
                             "a shortage of stewards", "a bird nesting on the site",
                             "the withdrawal of its insurer", "a cracked roof at the hall")),
    }  # fmt: skip


def draw_education(desk: Desk, shape: str) -> Values:
    """A school that closes, shines or bans something."""
    ends = ("High School", "Middle School") if desk.country.american else ("Academy", "School")
    before = desk.rng.randint(38, 69)
    word = "students" if desk.country.american else "pupils"
    return {
        "school": f"{desk.names.surname()} {desk.pick(ends)}",
        "school2": f"{desk.names.surname()} {desk.pick(ends)}",
        "uni": f"the University of {desk.names.town()}",
        "pupils": f"{desk.between(210, 1450):,} {word}",
        "year": str(desk.today.year - desk.rng.randint(48, 140)),
        "cost": desk.money(desk.rng.uniform(0.3, 14) * 1e6),
        "head": desk.names.person(),
        "star": desk.names.person(),
        "lead": desk.names.person(),
        "age": str(desk.rng.randint(17, 19)),
        "subject": desk.pick(("medicine", "physics", "law", "music", "marine biology", "history",
                              "engineering", "Japanese", "geology", "nursing")),
        "pct": f"{desk.rng.randint(before + 9, 98)}%",
        "pct2": f"{before}%",
        "change": desk.pick(("breakfast for everyone", "smaller classes", "longer lunch breaks",
                             "Saturday lessons", "a later start to the day",
                             "older children teaching younger ones", "weekly calls to parents",
                             "a ban on homework", "a new library", "an hour of sport each day")),
        "others": desk.number(desk.rng.randint(5, 60)),
        "woe": desk.pick(("falling numbers", "a cracked foundation", "asbestos in the roof",
                          "a shortage of teachers", "a run of poor inspections",
                          "the loss of its bus route", "debts left by a sports hall",
                          "rising damp")),
        "names": f"{desk.between(110, 4200):,}",
        "thing": desk.pick(("mobile phones", "packed lunches", "homework", "hugging", "trainers",
                            "energy drinks", "football", "snowballs", "make-up",
                            "smart watches", "scooters")).replace(
            "mobile phones", "cellphones" if desk.country.american else "mobile phones"),
        "trigger": desk.pick(("a broken arm in the playground", "a string of thefts",
                              "a fight filmed on the stairs", "a complaint from the fire service",
                              "a fall in grades", "a letter from a doctor",
                              "three accidents in a week", "a study of sleep")),
        "penalty": desk.pick(("a day of litter picking", "a call to the parents",
                              "an hour of detention", "a written warning",
                              "a week of lunchtime duties", "the loss of a school trip")),
        "due": desk.date(desk.rng.randint(10, 140)),
    }  # fmt: skip


def draw_labour(desk: Desk, shape: str) -> Values:
    """A strike, its end or a round of job cuts."""
    offer = desk.rng.randint(21, 49) / 10
    what = desk.pick(("Port", "Steelworks", "Airport", "Shipyard", "Sugar Mill", "Bus Company"))
    staff = desk.pick(("dockers", "drivers", "cleaners", "mechanics", "electricians", "loaders",
                       "porters", "technicians"))  # fmt: skip
    firm = desk.pick((f"{desk.town} {what}", f"{desk.names.coin()} Logistics",
                      f"{desk.names.coin()} Motors", f"{desk.names.coin()} Foods"))  # fmt: skip
    cost = desk.rng.uniform(40, 900) * 1e3
    return {
        "firm": firm,
        "workers": f"{desk.between(120, 3800):,} {staff}",
        "jobs": f"{desk.between(80, 2400):,}",
        "lead": desk.names.person(),
        "boss": desk.names.person(),
        "issue": desk.pick(("pay", "night shifts", "unsafe machines", "unpaid breaks",
                            "a new roster", "pensions", "sick pay", "the use of agency staff",
                            "cameras in the changing rooms", "split shifts")),
        "ask": f"{round(offer + desk.rng.randint(15, 60) / 10, 1):g}%",
        "offer": f"{offer:g}%",
        "share": desk.percent(62, 96),
        "cost": desk.money(cost if shape == "strike" else cost * 12),
        "length": desk.pick(("11 days", "three weeks", "five weeks", "17 days", "two months",
                             "four weeks", "nine days", "seven weeks", "23 days")),
        "perk": desk.pick(("an extra day off", "a year's health cover", "free work boots",
                           "six months' pay", "a bonus at New Year", "help with finding work",
                           "paid breaks", "three months' wages", "a place at a training college",
                           "a guarantee against further cuts")),
        "reason": desk.pick(("falling orders", "new machines", "dear electricity",
                             "the loss of a contract", "competition from abroad",
                             "a merger of two depots", "high interest rates", "weak sales")),
        "due": desk.date(desk.rng.randint(3, 60)),
    }  # fmt: skip


def draw_wildlife(desk: Desk, shape: str) -> Values:
    """A species that returns, a stranding or an escape from a zoo."""
    count = desk.rng.randint(11, 74)
    return {
        "animal": desk.pick(("beaver", "otter", "white stork", "crane", "red kite", "osprey",
                             "wildcat", "pine marten", "sea eagle", "spoonbill")),
        "gap": f"{desk.rng.randint(28, 240)} years",
        "young": desk.pick(("two", "three", "four", "five")),
        "reserve": f"{desk.names.surname()} {desk.pick(('Marsh', 'Wood', 'Lake', 'Moor'))}",
        "warden": desk.names.person(),
        "finder": desk.names.person(),
        "year": desk.year(-desk.rng.randint(2, 12)),
        "count": str(count),
        "dead": desk.number(desk.rng.randint(2, 9)) + " whales",
        "cost": desk.money(desk.rng.uniform(20, 900) * 1e3),
        "cause": desk.pick(("pesticides", "hunting", "the draining of the marsh", "traps",
                            "dirty water", "the felling of old trees", "a lack of food")),
        "cause2": desk.pick(("noise from a survey ship", "a sick leader", "a magnetic storm",
                             "a shoal of herring", "the shape of the bay", "an earthquake at sea",
                             "killer whales nearby", "an unusual current")),
        "helpers": str(desk.rng.randint(90, 640)),
        "hours": f"{desk.rng.randint(10, 32)} hours",
        "beast": desk.pick(("lynx", "red panda", "wallaby", "capybara", "snow leopard", "tapir",
                            "rhea", "black bear", "python", "gibbon")),
        "pet": desk.names.person().first,
        "days": f"{desk.number(desk.rng.randint(2, 19))} days",
        "dist": desk.distance(desk.rng.randint(3, 28)),
        "place": desk.pick(("in a greenhouse", "asleep in a boat shed", "on a golf course",
                            "under a railway bridge", "in a church tower", "behind a supermarket",
                            "in an orchard", "on a school roof")),
        "fjob": desk.pick(("milkman", "paper boy", "night nurse", "bell ringer", "farmer",
                           "railway worker", "jogger", "window cleaner")),
        "street": f"{desk.names.surname()} Street",
        "hole": desk.pick(("a hole in the fence", "an unlocked gate", "a fallen tree",
                           "a broken latch", "a gap under the wall", "a forgotten ladder",
                           "a flooded ditch", "a rotten post")),
        "due": desk.date(desk.rng.randint(4, 80)),
    }  # fmt: skip
