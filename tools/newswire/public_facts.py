"""Draws the facts of stories from public life: courts, elections, councils, schools, work."""

from tools.newswire.facts import Desk, Values

JOBS = (
    "bookkeeper", "treasurer", "accountant", "office manager", "club secretary", "caretaker",
    "finance officer", "payroll clerk", "estate manager", "receptionist", "fundraiser",
)  # fmt: skip
CIVIC_JOBS = (
    "nurse", "bus driver", "librarian", "beekeeper", "retired teacher", "vet", "baker",
    "plumber", "dairy farmer", "florist", "paramedic", "carpenter", "bookseller", "chef",
)  # fmt: skip


def draw_courts(desk: Desk, shape: str) -> Values:
    """A trial over stolen money."""
    base = desk.names.surname()
    owner = desk.pick(
        (f"the {base} Hospice", f"{desk.town} Rugby Club", f"the {base} Trust", f"{base} Museum",
         f"{desk.town} Music School", f"the {base} Animal Shelter", f"{base} & Sons",
         f"the {desk.town} Food Bank", f"{base} Primary School", f"{desk.town} Credit Union")
    )  # fmt: skip
    taken = desk.rng.uniform(28, 900) * 1e3
    term = desk.rng.randint(2, 9)
    flaws = (
        "three other people knew the password to the accounts",
        "the bank had mixed up two accounts with nearly the same number",
        "a key witness had been paid for an interview",
        "the auditor had never looked at the original receipts",
        "the signature on the transfers was a copy",
        "investigators had lost the hard drive from the office",
        "the transfers were made from a computer abroad",
        "the main witness had been convicted of lying under oath",
        "a page was missing from the accounts shown in court",
    )
    spent = (
        "a speedboat and racing tips", "online betting", "holidays and a hot tub",
        "a kitchen and two motorbikes", "designer handbags", "a failing restaurant",
        "vintage guitars", "a villa by the sea", "show horses", "rare coins and wine",
        "lottery tickets", "a wedding and a sports car", "cosmetic surgery",
    )  # fmt: skip
    return {
        "def": desk.names.person(),
        "judge": desk.names.person(),
        "age": str(desk.rng.randint(24, 71)),
        "job": desk.pick(JOBS),
        "crime": desk.pick(("fraud", "theft", "embezzlement", "false accounting")),
        "sum": desk.money(taken),
        "victim": owner,
        "court": f"{desk.town} {desk.country.court}",
        "term": f"{desk.number(term)} years",
        "served": f"{desk.rng.randint(10, 22)} months",
        "hours": desk.count(desk.rng.randint(2, 19), "hour"),
        "spent": desk.pick(spent),
        "flaw": desk.pick(flaws),
        "repay": desk.money(taken * desk.rng.uniform(0.2, 0.85)),
        "due": desk.date(desk.rng.randint(25, 210)),
        "extra": desk.pick(("six months", "18 months", "two years", "a year", "15 months")),
    }


def draw_elections(desk: Desk, shape: str) -> Values:
    """A vote for the head of a town."""
    if desk.country.american:
        office, place = desk.pick((("mayor", "town"), ("sheriff", "office"), ("mayor", "city")))
    else:
        office, place = desk.pick((("mayor", "town"), ("council leader", "council")))
    share = desk.rng.randint(505, 630) / 10
    other = round(100 - share - desk.rng.randint(10, 80) / 10, 1)
    if shape == "recount":
        share = desk.rng.randint(470, 495) / 10
    return {
        "win": desk.names.person(),
        "lose": desk.names.person(),
        "age": str(desk.rng.randint(26, 68)),
        "office": office,
        "place": place,
        "cjob": desk.pick(CIVIC_JOBS),
        "reign": desk.count(desk.rng.randint(8, 27), "year"),
        "share": f"{share:g}%",
        "share2": f"{other:g}%",
        "margin": desk.count(desk.rng.randint(3, 96), "vote"),
        "turnout": desk.percent(36, 74),
        "due": desk.date(desk.rng.randint(6, 60)),
        "days": desk.pick(("three days", "a week", "ten days", "48 hours", "two days")),
        "issue": desk.pick(
            ("potholes", "the price of water", "plans for a waste incinerator", "parking fees",
             "flood defences", "a sale of public land", "the closure of the swimming pool",
             "late buses", "school meals", "a new bypass", "unpaid overtime for city staff",
             "rents")
        ),
        "pledge": desk.pick(
            ("freeze the local tax", "reopen the library", "halve parking charges",
             "publish every contract", "plant 5,000 trees", "repair 40 bridges",
             "cut the office's own pay", "build 300 homes", "bring back the night bus",
             "hire 25 wardens", "sell the official car", "replace the lead pipes")
        ),
        "faulty": desk.pick(
            ("unsigned postal ballots", "a jammed counting machine",
             "two boxes that arrived late", "a power cut at the counting hall",
             "misprinted ballot papers", "a missing voters' register", "ink that smudged")
        ),
    }  # fmt: skip


def draw_transport(desk: Desk, shape: str) -> Values:
    """An accident on rails, road or water."""
    causes = {
        "train": ("a cracked rail", "a landslip", "a faulty switch", "a cow on the line",
                  "a broken axle", "a signal that failed", "a fallen tree on the track",
                  "a loose bolt"),
        "bus": ("worn brakes", "a burst tyre" if not desk.country.american else "a burst tire",
                "oil on the road", "a deer in the road", "a steering fault", "black ice",
                "low sun", "a faulty accelerator"),
        "ferry": ("a broken rudder", "a rope in the propeller", "an out-of-date chart",
                  "a failed engine", "a faulty radar", "a misread buoy", "a jammed throttle"),
    }  # fmt: skip
    line_end = {"train": "Railways", "bus": "Coaches", "ferry": "Ferries"}[shape]
    aboard = desk.rng.randint(34, 410) if shape != "bus" else desk.rng.randint(22, 58)
    hurt = desk.rng.randint(4, max(5, aboard // 4))
    clock = f"{desk.rng.randint(5, 11)}:{desk.rng.randint(10, 58)}"
    return {
        "hurt": desk.count(hurt, "person", "people"),
        "aboard": desk.number(aboard),
        "line": f"{desk.names.coin()} {line_end}",
        "time": f"{clock} in the morning",
        "driver": desk.names.person(),
        "age": str(desk.rng.randint(23, 64)),
        "djob": desk.pick(CIVIC_JOBS),
        "hours": desk.count(desk.rng.randint(2, 9), "hour"),
        "cause": desk.pick(causes[shape]),
        "due": desk.date(desk.rng.randint(3, 70)),
    }


def draw_council(desk: Desk, shape: str) -> Values:
    """A planning vote; `ayes` is always the larger side."""
    ayes = desk.rng.randint(12, 31)
    return {
        "scheme": desk.pick(
            (f"{desk.between(60, 900)} homes", "a wind farm", "a multi-storey car park",
             "a cinema", "a skate park", "a 12-storey hotel", "a chicken farm",
             "a solar park", "a new bus station", "a distillery", "a motorway service station"
             if not desk.country.american else "a truck stop", "a golf resort",
             "a crematorium", "a data centre" if not desk.country.american else "a data center")
        ),
        "ayes": str(ayes),
        "noes": desk.number(desk.rng.randint(3, ayes - 2)),
        "hours": desk.count(desk.rng.randint(3, 8), "hour"),
        "firm": f"{desk.names.coin()} {desk.pick(('Developments', 'Estates', 'Land', 'Homes'))}",
        "street": f"{desk.names.surname()} {desk.pick(('Street', 'Road', 'Lane'))}",
        "lead": desk.names.person(),
        "names": f"{desk.between(310, 9800):,}",
        "cost": desk.money(desk.rng.uniform(70, 4200) * 1e3),
        "due": desk.date(desk.rng.randint(14, 120)),
        "tie": desk.pick(("the husband" if desk.chance(0.3) else "a cousin", "a brother",
                          "a sister", "a business partner", "a nephew", "a niece")),
        "deal": desk.pick(
            ("a children's playground", "a new footpath", "a health clinic", "200 new trees",
             "a bus stop", "a village hall", "flood pumps", "a pedestrian crossing",
             "solar panels for the school", "a cycle track")
        ),
        "reason": desk.pick(
            ("the road could not take the traffic", "the site floods every winter",
             "rare bats nest there", "the school has no room for more children",
             "it would block the view of the church", "the drains are a century old",
             "the noise would carry across the valley", "the jobs would go to outsiders",
             "the town needs the meadow for flood water", "the developer had left other sites"
             " half finished")
        ),
    }  # fmt: skip


def draw_health(desk: Desk, shape: str) -> Values:
    """An outbreak, a new ward or a withdrawn medicine."""
    us = desk.country.american
    sick = desk.rng.randint(21, 390) if shape != "opening" else desk.between(1200, 19000)
    return {
        "sick": f"{sick:,} {'patients' if shape == 'opening' else 'people'}",
        "ward": desk.count(desk.rng.randint(3, max(4, min(40, sick // 4))), "person", "people"),
        "bug": desk.pick(("salmonella", "norovirus", "measles", "whooping cough", "typhoid",
                          "legionnaires' disease", "mumps", "scarlet fever")),
        "victim": desk.names.person(),
        "age": str(desk.rng.randint(41, 90)),
        "vjob": desk.pick(CIVIC_JOBS).replace("retired ", ""),
        "chief": desk.names.person(),
        "source": desk.pick(("a public swimming pool", "a hotel kitchen", "a school canteen",
                             "an ice-cream van", "a petting farm", "a sandwich factory",
                             "the fountain in the park", "a wedding venue", "a gym",
                             "an egg packing plant", "a cooling tower")),
        "hospital": f"{desk.names.surname()} {desk.pick(('Memorial', 'General', 'Royal'))} Hospital"
        if not us else f"{desk.names.surname()} Memorial Hospital",
        "unit": desk.pick(("burns unit", "children's ward", "dialysis center" if us else
                           "dialysis centre", "heart clinic", "stroke unit", "maternity wing",
                           "cancer center" if us else "cancer centre", "eye clinic")),
        "late": desk.pick(("two years", "14 months", "18 months", "three years", "a year")),
        "cost": desk.money(desk.rng.uniform(1.1, 64) * 1e6),
        "due": desk.date(desk.rng.randint(5, 120)),
        "holdup": desk.pick(
            ("a contaminated water tank", "a broken mixing machine", "a faulty filter",
             "mould in the walls" if not us else "mold in the walls", "an unsealed door",
             "a cracked floor", "a wiring fault", "a mix-up of labels", "a leaking roof")
        ),
        "drug": desk.names.coin(),
        "maker": f"{desk.names.coin()} {desk.pick(('Pharma', 'Labs', 'Remedies'))}",
        "use": desk.pick(("migraine", "hay fever", "high blood pressure", "back pain", "gout",
                          "insomnia", "arthritis", "heartburn", "asthma")),
        "effect": desk.pick(("dizzy spells", "blurred vision", "memory lapses", "skin rashes",
                             "fainting", "an irregular heartbeat", "numb hands", "nosebleeds")),
    }  # fmt: skip
