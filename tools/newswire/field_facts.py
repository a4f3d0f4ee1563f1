"""Draws the facts of stories about matches, weather and science."""

from datetime import timedelta

from tools.newswire.facts import Desk, Values

SUFFIXES = ("Rovers", "United", "Athletic", "City", "Rangers", "Wanderers", "Albion", "Town")
RANKS = ("second", "third", "fourth", "fifth", "sixth", "seventh", "eighth", "ninth")
MINUTES = ("52nd", "57th", "61st", "64th", "68th", "72nd", "76th", "79th", "83rd", "86th", "88th")


def draw_sport(desk: Desk, shape: str) -> Values:
    """A football match."""
    sides = desk.rng.sample(SUFFIXES, 5)
    lost = desk.rng.randint(0, 2)
    goals = desk.rng.randint(0, 3)
    cup = f"{desk.names.surname()} Cup"
    return {
        "home": f"{desk.town} {sides[0]}",
        "away": f"{desk.names.town()} {sides[1]}",
        "next": f"{desk.names.town()} {sides[2]}",
        "sfx": sides[3],
        "sfx2": sides[4],
        "score": f"{desk.rng.randint(max(2, lost + 1), 5)}-{lost}",
        "draw": "1-1" if shape == "draw" else f"{goals}-{goals}",
        "star": desk.names.person(female=False),
        "hurt": desk.names.person(female=False),
        "coach": desk.names.person(),
        "minute": desk.pick(MINUTES),
        "crowd": f"{desk.between(3100, 41000):,}",
        "rank": desk.pick(RANKS),
        "weeks": f"{desk.number(desk.rng.randint(3, 14))} weeks",
        "saves": desk.pick(("two", "three", "four")),
        "cup": cup,
        "round": desk.pick(("quarter-finals", "semi-finals", "third round", "fourth round")),
        "prize": desk.money(desk.rng.uniform(25, 480) * 1e3),
        "due": desk.date(desk.rng.randint(4, 24)),
    }


def draw_storm(desk: Desk, shape: str) -> Values:
    """Wind, flood or snow, and what it broke."""
    if shape == "snow":
        _move_to_winter(desk)
    gust = desk.rng.randint(71, 124)
    if desk.country.metric:
        wind, height = f"{round(gust * 1.609)}km/h", f"{desk.rng.randint(11, 68) / 10} metres"
        depth = f"{desk.rng.randint(24, 95)}cm"
    elif desk.country.american:
        wind, height = f"{gust}mph", f"{desk.rng.randint(4, 22)} feet"
        height = height if height[1] != " " else f"{desk.number(int(height[0]))} feet"
        depth = f"{desk.rng.randint(10, 38)} inches"
    else:
        wind, height = f"{gust}mph", f"{desk.rng.randint(11, 68) / 10} metres"
        depth = f"{desk.rng.randint(24, 95)}cm"
    spot = f"{desk.names.town()} {desk.pick(('Point', 'Pier', 'Airport', 'Lighthouse', 'Hill'))}"
    return {
        "storm": f"Storm {desk.names.person().first}",
        "homes": f"{desk.between(2100, 98000):,} homes",
        "people": f"{desk.between(210, 4800):,} people",
        "wind": wind,
        "level": depth if shape == "snow" else height,
        "spot": spot,
        "river": f"River {desk.names.coin()}",
        "dead": desk.names.person(),
        "age": str(desk.rng.randint(19, 88)),
        "hours": f"{desk.rng.randint(10, 36)} hours",
        "cost": desk.money(desk.rng.uniform(1.2, 95) * (1e5 if shape == "snow" else 1e6)),
        "due": desk.date(desk.rng.randint(2, 12)),
        "cause": desk.pick(
            ("a blocked culvert", "a broken pump", "a sluice gate left open",
             "fallen trees under a bridge", "a burst farm dam", "drains that had not been cleaned",
             "a collapsed flood wall", "a gap in the levee", "new paving upstream",
             "a flood gate that jammed")
        ),
    }  # fmt: skip


def _move_to_winter(desk: Desk) -> None:
    """Shifts the story by whole weeks, so that the days of the week stay as they are."""
    southern = desk.country.name in ("Australia", "New Zealand", "South Africa")
    months = (6, 7, 8) if southern else (12, 1, 2)
    while desk.today.month not in months:
        desk.today += timedelta(weeks=1)


def draw_science(desk: Desk, shape: str) -> Values:
    """A finding, its finder and what comes next."""
    coin = desk.names.coin()
    species = f"{coin}saurus" if shape == "fossil" else f"{coin}-{desk.rng.randint(2, 97)}b"
    if shape == "fossil":
        feet, metres = desk.rng.randint(8, 46), desk.rng.randint(21, 140) / 10
        size = f"{feet} feet" if desk.country.american and feet > 9 else f"{metres} metres"
        if desk.country.american and feet <= 9:
            size = f"{desk.number(feet)} feet"
    else:
        size = f"{desk.rng.randint(11, 59) / 10}"
    limits = {
        "fossil": ("the skull is still missing",),
        "study": (
            "most of the volunteers were over 60", "nobody checked what people really ate",
            "people with the habit also smoked less", "only one country was studied",
            "the volunteers reported their own habits", "few of the volunteers were women",
            "the data came from a single clinic",
        ),
        "planet": (
            "the star is too bright to look at for long", "nobody has weighed the planet",
            "the signal has been seen only twice", "dust could explain part of the signal",
            "the water has only been inferred", "the age of the star is unknown",
        ),
    }  # fmt: skip
    years = f"{desk.rng.randint(11, 74)} days" if shape == "planet" else (
        f"{desk.rng.randint(10, 28)} years")  # fmt: skip
    return {
        "beast": desk.pick(("plant-eating dinosaur", "hunting dinosaur", "flying reptile",
                            "giant sea reptile", "horned dinosaur", "long-necked dinosaur")),
        "species": species,
        "size": size,
        "old": f"{desk.rng.randint(66, 198)} million years",
        "far": f"{desk.between(24, 1900):,} light years",
        "finder": desk.names.person(),
        "age": str(desk.rng.randint(19, 34) if shape == "planet" else desk.rng.randint(12, 79)),
        "fjob": desk.pick(("farmer", "nurse", "postman", "surfer", "plumber", "gardener",
                           "lifeguard", "quarry worker", "birdwatcher", "bus driver")),
        "museum": f"the {desk.names.surname()} Museum",
        "uni": f"the University of {desk.names.town()}",
        "cost": desk.money(desk.rng.uniform(60, 2400) * 1e3),
        "due": desk.date(desk.rng.randint(15, 190)),
        "sample": f"{desk.between(1100, 48000):,} adults",
        "years": years,
        "pct": desk.percent(12, 48),
        "habit": desk.pick(
            ("walk after dinner", "eat oats daily", "nap in the afternoon", "sing in a choir",
             "drink green tea", "cycle to work", "keep a garden", "eat beans four times a week",
             "swim twice a week", "sleep with the window open", "learn a language late in life",
             "skip sugary drinks", "own a dog")
        ),
        "illness": desk.pick(
            ("heart disease", "type 2 diabetes", "memory loss", "depression", "a stroke",
             "high blood pressure", "gout", "asthma attacks", "kidney stones", "migraine")
        ),
        "limit": desk.pick(limits[shape]),
    }  # fmt: skip


def draw_fire(desk: Desk, shape: str) -> Values:
    """A rescue, a burning factory or a series of fires."""
    clues = (
        "a dog led officers to a petrol can" if not desk.country.american
        else "a dog led officers to a gas can",
        "a camera on a bus filmed a bicycle", "a neighbour found a burned glove"
        if not desk.country.american else "a neighbor found a burned glove",
        "a shop receipt was left beside the ashes", "fingerprints were found on a lighter",
        "a boy wrote down a number plate", "a telephone was dropped in the grass",
        "boot prints matched at two of the sites",
    )  # fmt: skip
    causes = (
        "a phone charger", "an electric blanket", "a candle", "a chip pan", "a cigarette",
        "a tumble dryer", "a faulty plug", "an old heater", "a spark from the chimney",
    ) if shape == "rescue" else (
        "an overheated machine", "a faulty forklift battery", "a welding spark",
        "oily rags left in a bin", "a short circuit", "a blocked vent", "a cutting torch",
    )  # fmt: skip
    return {
        "hero": desk.names.person(),
        "victim": desk.names.person(),
        "age": str(desk.rng.randint(18, 63)),
        "age2": str(desk.rng.randint(22, 86)),
        "rjob": desk.pick(("window cleaner", "postal worker", "baker", "student nurse",
                           "scaffolder", "taxi driver", "gardener", "painter", "cycle courier",
                           "refuse collector", "roofer")),
        "saved": desk.pick(("two children", "three children", "a family of four", "two sisters",
                            "a family of five", "three pensioners", "twin boys")),
        "street": f"{desk.names.surname()} {desk.pick(('Street', 'Road', 'Avenue', 'Lane'))}",
        "firm": f"{desk.names.coin()} {desk.pick(('Plastics', 'Foods', 'Paper', 'Textiles'))}",
        "evac": f"{desk.between(210, 3900):,} people",
        "crews": str(desk.rng.randint(40, 180)),
        "hours": f"{desk.number(desk.rng.randint(4, 22))} hours",
        "fires": desk.number(desk.rng.randint(4, 19)),
        "cause": desk.pick(causes),
        "clue": desk.pick(clues),
        "cost": desk.money(desk.rng.uniform(0.15, 28) * 1e6),
        "due": desk.date(desk.rng.randint(8, 100)),
    }  # fmt: skip
