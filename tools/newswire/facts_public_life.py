"""Facts of stories about courts, elections, councils, health and transport."""

from tools.newswire.draw import Draw, Values

JOBS = (
    "bookkeeper", "treasurer", "accountant", "office manager", "club secretary", "caretaker",
    "finance officer", "payroll clerk", "estate manager", "receptionist", "fundraiser",
)  # fmt: skip


CIVIC_JOBS = (
    "nurse", "bus driver", "librarian", "beekeeper", "retired teacher", "vet", "baker",
    "plumber", "dairy farmer", "florist", "paramedic", "carpenter", "bookseller", "chef",
)  # fmt: skip


def draw_courts(draw: Draw, shape: str) -> Values:
    """Draw the facts of a trial over stolen money."""
    base = draw.names.surname()
    owner = draw.pick(
        (f"the {base} Hospice", f"{draw.town} Rugby Club", f"the {base} Trust", f"{base} Museum",
         f"{draw.town} Music School", f"the {base} Animal Shelter", f"{base} & Sons",
         f"the {draw.town} Food Bank", f"{base} Primary School", f"{draw.town} Credit Union")
    )  # fmt: skip
    taken = draw.rng.uniform(28, 900) * 1e3
    term = draw.rng.randint(2, 9)
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
        "def": draw.names.person(),
        "judge": draw.names.person(),
        "age": str(draw.rng.randint(24, 71)),
        "job": draw.pick(JOBS),
        "crime": draw.pick(("fraud", "theft", "embezzlement", "false accounting")),
        "sum": draw.money(taken),
        "victim": owner,
        "court": f"{draw.town} {draw.country.court}",
        "term": f"{draw.number(term)} years",
        "served": f"{draw.rng.randint(10, 22)} months",
        "hours": draw.count(draw.rng.randint(2, 19), "hour"),
        "spent": draw.pick(spent),
        "flaw": draw.pick(flaws),
        "repay": draw.money(taken * draw.rng.uniform(0.2, 0.85)),
        "due": draw.date(draw.rng.randint(25, 210)),
        "extra": draw.pick(("six months", "18 months", "two years", "a year", "15 months")),
    }


def draw_elections(draw: Draw, shape: str) -> Values:
    """Draw the facts of a vote for the head of a town."""
    if draw.country.american:
        office, place = draw.pick((("mayor", "town"), ("sheriff", "office"), ("mayor", "city")))
    else:
        office, place = draw.pick((("mayor", "town"), ("council leader", "council")))
    share = draw.rng.randint(505, 630) / 10
    other = round(100 - share - draw.rng.randint(10, 80) / 10, 1)
    if shape == "recount":
        share = draw.rng.randint(470, 495) / 10
    return {
        "win": draw.names.person(),
        "lose": draw.names.person(),
        "age": str(draw.rng.randint(26, 68)),
        "office": office,
        "place": place,
        "cjob": draw.pick(CIVIC_JOBS),
        "reign": draw.count(draw.rng.randint(8, 27), "year"),
        "share": f"{share:g}%",
        "share2": f"{other:g}%",
        "margin": draw.count(draw.rng.randint(3, 96), "vote"),
        "turnout": draw.percent(36, 74),
        "due": draw.date(draw.rng.randint(6, 60)),
        "days": draw.pick(("three days", "a week", "ten days", "48 hours", "two days")),
        "issue": draw.pick(
            ("potholes", "the price of water", "plans for a waste incinerator", "parking fees",
             "flood defences", "a sale of public land", "the closure of the swimming pool",
             "late buses", "school meals", "a new bypass", "unpaid overtime for city staff",
             "rents")
        ),
        "pledge": draw.pick(
            ("freeze the local tax", "reopen the library", "halve parking charges",
             "publish every contract", "plant 5,000 trees", "repair 40 bridges",
             "cut the office's own pay", "build 300 homes", "bring back the night bus",
             "hire 25 wardens", "sell the official car", "replace the lead pipes")
        ),
        "faulty": draw.pick(
            ("unsigned postal ballots", "a jammed counting machine",
             "two boxes that arrived late", "a power cut at the counting hall",
             "misprinted ballot papers", "a missing voters' register", "ink that smudged")
        ),
    }  # fmt: skip


def draw_transport(draw: Draw, shape: str) -> Values:
    """Draw the facts of an accident on rails, road or water."""
    causes = {
        "train": ("a cracked rail", "a landslip", "a faulty switch", "a cow on the line",
                  "a broken axle", "a signal that failed", "a fallen tree on the track",
                  "a loose bolt"),
        "bus": ("worn brakes", "a burst tyre" if not draw.country.american else "a burst tire",
                "oil on the road", "a deer in the road", "a steering fault", "black ice",
                "low sun", "a faulty accelerator"),
        "ferry": ("a broken rudder", "a rope in the propeller", "an out-of-date chart",
                  "a failed engine", "a faulty radar", "a misread buoy", "a jammed throttle"),
    }  # fmt: skip
    line_end = {"train": "Railways", "bus": "Coaches", "ferry": "Ferries"}[shape]
    aboard = draw.rng.randint(34, 410) if shape != "bus" else draw.rng.randint(22, 58)
    hurt = draw.rng.randint(4, max(5, aboard // 4))
    clock = f"{draw.rng.randint(5, 11)}:{draw.rng.randint(10, 58)}"
    return {
        "hurt": draw.count(hurt, "person", "people"),
        "aboard": draw.number(aboard),
        "line": f"{draw.names.coin()} {line_end}",
        "time": f"{clock} in the morning",
        "driver": draw.names.person(),
        "age": str(draw.rng.randint(23, 64)),
        "djob": draw.pick(CIVIC_JOBS),
        "hours": draw.count(draw.rng.randint(2, 9), "hour"),
        "cause": draw.pick(causes[shape]),
        "due": draw.date(draw.rng.randint(3, 70)),
    }


def draw_council(draw: Draw, shape: str) -> Values:
    """Draw the facts of a planning vote; `ayes` is always the larger side."""
    ayes = draw.rng.randint(12, 31)
    return {
        "scheme": draw.pick(
            (f"{draw.between(60, 900)} homes", "a wind farm", "a multi-storey car park",
             "a cinema", "a skate park", "a 12-storey hotel", "a chicken farm",
             "a solar park", "a new bus station", "a distillery", "a motorway service station"
             if not draw.country.american else "a truck stop", "a golf resort",
             "a crematorium", "a data centre" if not draw.country.american else "a data center")
        ),
        "ayes": str(ayes),
        "noes": draw.number(draw.rng.randint(3, ayes - 2)),
        "hours": draw.count(draw.rng.randint(3, 8), "hour"),
        "firm": f"{draw.names.coin()} {draw.pick(('Developments', 'Estates', 'Land', 'Homes'))}",
        "street": f"{draw.names.surname()} {draw.pick(('Street', 'Road', 'Lane'))}",
        "lead": draw.names.person(),
        "names": f"{draw.between(310, 9800):,}",
        "cost": draw.money(draw.rng.uniform(70, 4200) * 1e3),
        "due": draw.date(draw.rng.randint(14, 120)),
        "tie": draw.pick(("the husband" if draw.chance(0.3) else "a cousin", "a brother",
                          "a sister", "a business partner", "a nephew", "a niece")),
        "deal": draw.pick(
            ("a children's playground", "a new footpath", "a health clinic", "200 new trees",
             "a bus stop", "a village hall", "flood pumps", "a pedestrian crossing",
             "solar panels for the school", "a cycle track")
        ),
        "reason": draw.pick(
            ("the road could not take the traffic", "the site floods every winter",
             "rare bats nest there", "the school has no room for more children",
             "it would block the view of the church", "the drains are a century old",
             "the noise would carry across the valley", "the jobs would go to outsiders",
             "the town needs the meadow for flood water", "the developer had left other sites"
             " half finished")
        ),
    }  # fmt: skip


def draw_health(draw: Draw, shape: str) -> Values:
    """Draw the facts of an outbreak, a new ward or a withdrawn medicine."""
    us = draw.country.american
    sick = draw.rng.randint(21, 390) if shape != "opening" else draw.between(1200, 19000)
    return {
        "sick": f"{sick:,} {'patients' if shape == 'opening' else 'people'}",
        "ward": draw.count(draw.rng.randint(3, max(4, min(40, sick // 4))), "person", "people"),
        "bug": draw.pick(("salmonella", "norovirus", "measles", "whooping cough", "typhoid",
                          "legionnaires' disease", "mumps", "scarlet fever")),
        "victim": draw.names.person(),
        "age": str(draw.rng.randint(41, 90)),
        "vjob": draw.pick(CIVIC_JOBS).replace("retired ", ""),
        "chief": draw.names.person(),
        "source": draw.pick(("a public swimming pool", "a hotel kitchen", "a school canteen",
                             "an ice-cream van", "a petting farm", "a sandwich factory",
                             "the fountain in the park", "a wedding venue", "a gym",
                             "an egg packing plant", "a cooling tower")),
        "hospital": f"{draw.names.surname()} {draw.pick(('Memorial', 'General', 'Royal'))} Hospital"
        if not us else f"{draw.names.surname()} Memorial Hospital",
        "unit": draw.pick(("burns unit", "children's ward", "dialysis center" if us else
                           "dialysis centre", "heart clinic", "stroke unit", "maternity wing",
                           "cancer center" if us else "cancer centre", "eye clinic")),
        "late": draw.pick(("two years", "14 months", "18 months", "three years", "a year")),
        "cost": draw.money(draw.rng.uniform(1.1, 64) * 1e6),
        "due": draw.date(draw.rng.randint(5, 120)),
        "holdup": draw.pick(
            ("a contaminated water tank", "a broken mixing machine", "a faulty filter",
             "mould in the walls" if not us else "mold in the walls", "an unsealed door",
             "a cracked floor", "a wiring fault", "a mix-up of labels", "a leaking roof")
        ),
        "drug": draw.names.coin(),
        "maker": f"{draw.names.coin()} {draw.pick(('Pharma', 'Labs', 'Remedies'))}",
        "use": draw.pick(("migraine", "hay fever", "high blood pressure", "back pain", "gout",
                          "insomnia", "arthritis", "heartburn", "asthma")),
        "effect": draw.pick(("dizzy spells", "blurred vision", "memory lapses", "skin rashes",
                             "fainting", "an irregular heartbeat", "numb hands", "nosebleeds")),
    }  # fmt: skip
