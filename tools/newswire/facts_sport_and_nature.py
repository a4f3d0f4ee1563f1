"""Facts of stories about sport, storms, fires, science and wildlife."""

from datetime import timedelta

from tools.newswire.draw import Draw, Values


def draw_wildlife(draw: Draw, shape: str) -> Values:
    """Draw the facts of a returning species, a stranding or an escape from a zoo."""
    count = draw.rng.randint(11, 74)
    return {
        "animal": draw.pick(("beaver", "otter", "white stork", "crane", "red kite", "osprey",
                             "wildcat", "pine marten", "sea eagle", "spoonbill")),
        "gap": f"{draw.rng.randint(28, 240)} years",
        "young": draw.pick(("two", "three", "four", "five")),
        "reserve": f"{draw.names.surname()} {draw.pick(('Marsh', 'Wood', 'Lake', 'Moor'))}",
        "warden": draw.names.person(),
        "finder": draw.names.person(),
        "year": draw.year(-draw.rng.randint(2, 12)),
        "count": str(count),
        "dead": draw.number(draw.rng.randint(2, 9)) + " whales",
        "cost": draw.money(draw.rng.uniform(20, 900) * 1e3),
        "cause": draw.pick(("pesticides", "hunting", "the draining of the marsh", "traps",
                            "dirty water", "the felling of old trees", "a lack of food")),
        "cause2": draw.pick(("noise from a survey ship", "a sick leader", "a magnetic storm",
                             "a shoal of herring", "the shape of the bay", "an earthquake at sea",
                             "killer whales nearby", "an unusual current")),
        "helpers": str(draw.rng.randint(90, 640)),
        "hours": f"{draw.rng.randint(10, 32)} hours",
        "beast": draw.pick(("lynx", "red panda", "wallaby", "capybara", "snow leopard", "tapir",
                            "rhea", "black bear", "python", "gibbon")),
        "pet": draw.names.person().first,
        "days": f"{draw.number(draw.rng.randint(2, 19))} days",
        "dist": draw.distance(draw.rng.randint(3, 28)),
        "place": draw.pick(("in a greenhouse", "asleep in a boat shed", "on a golf course",
                            "under a railway bridge", "in a church tower", "behind a supermarket",
                            "in an orchard", "on a school roof")),
        "fjob": draw.pick(("milkman", "paper boy", "night nurse", "bell ringer", "farmer",
                           "railway worker", "jogger", "window cleaner")),
        "street": f"{draw.names.surname()} Street",
        "hole": draw.pick(("a hole in the fence", "an unlocked gate", "a fallen tree",
                           "a broken latch", "a gap under the wall", "a forgotten ladder",
                           "a flooded ditch", "a rotten post")),
        "due": draw.date(draw.rng.randint(4, 80)),
    }  # fmt: skip


SUFFIXES = ("Rovers", "United", "Athletic", "City", "Rangers", "Wanderers", "Albion", "Town")


RANKS = ("second", "third", "fourth", "fifth", "sixth", "seventh", "eighth", "ninth")


MINUTES = ("52nd", "57th", "61st", "64th", "68th", "72nd", "76th", "79th", "83rd", "86th", "88th")


def draw_sport(draw: Draw, shape: str) -> Values:
    """Draw the facts of a football match."""
    sides = draw.rng.sample(SUFFIXES, 5)
    lost = draw.rng.randint(0, 2)
    goals = draw.rng.randint(0, 3)
    cup = f"{draw.names.surname()} Cup"
    return {
        "home": f"{draw.town} {sides[0]}",
        "away": f"{draw.names.town()} {sides[1]}",
        "next": f"{draw.names.town()} {sides[2]}",
        "sfx": sides[3],
        "sfx2": sides[4],
        "score": f"{draw.rng.randint(max(2, lost + 1), 5)}-{lost}",
        "draw": "1-1" if shape == "draw" else f"{goals}-{goals}",
        "star": draw.names.person(female=False),
        "hurt": draw.names.person(female=False),
        "coach": draw.names.person(),
        "minute": draw.pick(MINUTES),
        "crowd": f"{draw.between(3100, 41000):,}",
        "rank": draw.pick(RANKS),
        "weeks": f"{draw.number(draw.rng.randint(3, 14))} weeks",
        "saves": draw.pick(("two", "three", "four")),
        "cup": cup,
        "round": draw.pick(("quarter-finals", "semi-finals", "third round", "fourth round")),
        "prize": draw.money(draw.rng.uniform(25, 480) * 1e3),
        "due": draw.date(draw.rng.randint(4, 24)),
    }


def draw_storm(draw: Draw, shape: str) -> Values:
    """Draw the facts of a storm, a flood or snow, and of the damage."""
    if shape == "snow":
        _move_to_winter(draw)
    gust = draw.rng.randint(71, 124)
    if draw.country.metric:
        wind, height = f"{round(gust * 1.609)}km/h", f"{draw.rng.randint(11, 68) / 10} metres"
        depth = f"{draw.rng.randint(24, 95)}cm"
    elif draw.country.american:
        wind, height = f"{gust}mph", f"{draw.rng.randint(4, 22)} feet"
        height = height if height[1] != " " else f"{draw.number(int(height[0]))} feet"
        depth = f"{draw.rng.randint(10, 38)} inches"
    else:
        wind, height = f"{gust}mph", f"{draw.rng.randint(11, 68) / 10} metres"
        depth = f"{draw.rng.randint(24, 95)}cm"
    spot = f"{draw.names.town()} {draw.pick(('Point', 'Pier', 'Airport', 'Lighthouse', 'Hill'))}"
    return {
        "storm": f"Storm {draw.names.person().first}",
        "homes": f"{draw.between(2100, 98000):,} homes",
        "people": f"{draw.between(210, 4800):,} people",
        "wind": wind,
        "level": depth if shape == "snow" else height,
        "spot": spot,
        "river": f"River {draw.names.coin()}",
        "dead": draw.names.person(),
        "age": str(draw.rng.randint(19, 88)),
        "hours": f"{draw.rng.randint(10, 36)} hours",
        "cost": draw.money(draw.rng.uniform(1.2, 95) * (1e5 if shape == "snow" else 1e6)),
        "due": draw.date(draw.rng.randint(2, 12)),
        "cause": draw.pick(
            ("a blocked culvert", "a broken pump", "a sluice gate left open",
             "fallen trees under a bridge", "a burst farm dam", "drains that had not been cleaned",
             "a collapsed flood wall", "a gap in the levee", "new paving upstream",
             "a flood gate that jammed")
        ),
    }  # fmt: skip


def _move_to_winter(draw: Draw) -> None:
    """Move the story into winter by a number of weeks, which keeps its day of the week."""
    southern = draw.country.name in ("Australia", "New Zealand", "South Africa")
    months = (6, 7, 8) if southern else (12, 1, 2)
    while draw.today.month not in months:
        draw.today += timedelta(weeks=1)


def draw_science(draw: Draw, shape: str) -> Values:
    """Draw the facts of a scientific finding."""
    coin = draw.names.coin()
    species = f"{coin}saurus" if shape == "fossil" else f"{coin}-{draw.rng.randint(2, 97)}b"
    if shape == "fossil":
        feet, metres = draw.rng.randint(8, 46), draw.rng.randint(21, 140) / 10
        size = f"{feet} feet" if draw.country.american and feet > 9 else f"{metres} metres"
        if draw.country.american and feet <= 9:
            size = f"{draw.number(feet)} feet"
    else:
        size = f"{draw.rng.randint(11, 59) / 10}"
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
    years = f"{draw.rng.randint(11, 74)} days" if shape == "planet" else (
        f"{draw.rng.randint(10, 28)} years")  # fmt: skip
    return {
        "beast": draw.pick(("plant-eating dinosaur", "hunting dinosaur", "flying reptile",
                            "giant sea reptile", "horned dinosaur", "long-necked dinosaur")),
        "species": species,
        "size": size,
        "old": f"{draw.rng.randint(66, 198)} million years",
        "far": f"{draw.between(24, 1900):,} light years",
        "finder": draw.names.person(),
        "age": str(draw.rng.randint(19, 34) if shape == "planet" else draw.rng.randint(12, 79)),
        "fjob": draw.pick(("farmer", "nurse", "postman", "surfer", "plumber", "gardener",
                           "lifeguard", "quarry worker", "birdwatcher", "bus driver")),
        "museum": f"the {draw.names.surname()} Museum",
        "uni": f"the University of {draw.names.town()}",
        "cost": draw.money(draw.rng.uniform(60, 2400) * 1e3),
        "due": draw.date(draw.rng.randint(15, 190)),
        "sample": f"{draw.between(1100, 48000):,} adults",
        "years": years,
        "pct": draw.percent(12, 48),
        "habit": draw.pick(
            ("walk after dinner", "eat oats daily", "nap in the afternoon", "sing in a choir",
             "drink green tea", "cycle to work", "keep a garden", "eat beans four times a week",
             "swim twice a week", "sleep with the window open", "learn a language late in life",
             "skip sugary drinks", "own a dog")
        ),
        "illness": draw.pick(
            ("heart disease", "type 2 diabetes", "memory loss", "depression", "a stroke",
             "high blood pressure", "gout", "asthma attacks", "kidney stones", "migraine")
        ),
        "limit": draw.pick(limits[shape]),
    }  # fmt: skip


def draw_fire(draw: Draw, shape: str) -> Values:
    """Draw the facts of a rescue, a burning factory or a series of fires."""
    clues = (
        "a dog led officers to a petrol can" if not draw.country.american
        else "a dog led officers to a gas can",
        "a camera on a bus filmed a bicycle", "a neighbour found a burned glove"
        if not draw.country.american else "a neighbor found a burned glove",
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
        "hero": draw.names.person(),
        "victim": draw.names.person(),
        "age": str(draw.rng.randint(18, 63)),
        "age2": str(draw.rng.randint(22, 86)),
        "rjob": draw.pick(("window cleaner", "postal worker", "baker", "student nurse",
                           "scaffolder", "taxi driver", "gardener", "painter", "cycle courier",
                           "refuse collector", "roofer")),
        "saved": draw.pick(("two children", "three children", "a family of four", "two sisters",
                            "a family of five", "three pensioners", "twin boys")),
        "street": f"{draw.names.surname()} {draw.pick(('Street', 'Road', 'Avenue', 'Lane'))}",
        "firm": f"{draw.names.coin()} {draw.pick(('Plastics', 'Foods', 'Paper', 'Textiles'))}",
        "evac": f"{draw.between(210, 3900):,} people",
        "crews": str(draw.rng.randint(40, 180)),
        "hours": f"{draw.number(draw.rng.randint(4, 22))} hours",
        "fires": draw.number(draw.rng.randint(4, 19)),
        "cause": draw.pick(causes),
        "clue": draw.pick(clues),
        "cost": draw.money(draw.rng.uniform(0.15, 28) * 1e6),
        "due": draw.date(draw.rng.randint(8, 100)),
    }  # fmt: skip
