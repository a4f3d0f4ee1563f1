"""Draw the place, date and values of one article, and format the values for its country."""

import random
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import TypeVar

from tools.newswire.names import NameGroup, NamePool, Person


@dataclass(frozen=True)
class Country:
    """Spelling, money, units and regions of a country.

    Attributes:
        scale: local money per unit of the generator's money.
        weight: relative frequency of stories.
    """

    name: str
    adjective: str
    american: bool
    currency: str
    scale: float
    metric: bool
    court: str
    weight: int
    regions: tuple[str, ...]


COUNTRIES = (
    Country(
        "the United States", "American", True, "$", 1.3, False, "County Court", 40,
        ("Ohio", "Oregon", "Vermont", "Nebraska", "Georgia", "Michigan", "Idaho", "Kansas",
         "Maine", "Colorado", "Missouri", "Virginia", "Alabama", "Wisconsin", "Nevada",
         "Montana", "Iowa", "Arizona", "Tennessee", "Pennsylvania"),
    ),
    Country(
        "Britain", "British", False, "£", 1.0, False, "Crown Court", 30,
        ("Norfolk", "Devon", "Cumbria", "Kent", "Lancashire", "Fife", "Cornwall", "Shropshire",
         "Gwynedd", "County Durham", "Lincolnshire", "Dorset", "Aberdeenshire", "Somerset"),
    ),
    Country(
        "Australia", "Australian", False, "A$", 1.9, True, "District Court", 9,
        ("Queensland", "Victoria", "Tasmania", "New South Wales", "South Australia"),
    ),
    Country(
        "Ireland", "Irish", False, "€", 1.2, True, "Circuit Court", 8,
        ("County Mayo", "County Cork", "County Clare", "County Kerry", "County Sligo"),
    ),
    Country(
        "New Zealand", "New Zealand", False, "NZ$", 2.1, True, "District Court", 7,
        ("Otago", "Waikato", "Southland", "Taranaki", "Canterbury"),
    ),
    Country(
        "South Africa", "South African", False, "R", 22.0, True, "Regional Court", 6,
        ("Limpopo", "Gauteng", "Mpumalanga", "the Western Cape", "the Free State"),
    ),
)  # fmt: skip


Value = str | Person
Values = dict[str, Value]
Choice = TypeVar("Choice")

SMALL = ("no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
FIRST_DAY = date(2014, 1, 6)
DAYS_COVERED = 3900
KM_PER_MILE = 1.609


class Draw:
    """Draw and format the values of a story; they depend on the random state only."""

    def __init__(self, rng: random.Random, group: NameGroup) -> None:
        self.rng = rng
        self.names = NamePool(rng, group)
        self.country = rng.choices(COUNTRIES, [c.weight for c in COUNTRIES])[0]
        self.region = rng.choice(self.country.regions)
        self.town = self.names.town()
        self.today = FIRST_DAY + timedelta(days=rng.randrange(DAYS_COVERED))

    def base_values(self) -> Values:
        """Return the slots that every story has."""
        return {
            "town": self.town,
            "region": self.region,
            "country": self.country.name,
            "adj": self.country.adjective,
            "today": self.weekday(0),
            "yesterday": self.weekday(-1),
            "near": self.names.town(),
            "pop": f"{self.between(6_000, 95_000):,}",
        }

    def pick(self, options: Sequence[Choice]) -> Choice:
        """Return one of the options."""
        return self.rng.choice(options)

    def chance(self, share: float) -> bool:
        """Return True with the given probability."""
        return self.rng.random() < share

    def between(self, low: int, high: int) -> int:
        """Return an integer; the larger it is, the more coarsely it is rounded."""
        value = self.rng.randint(low, high)
        if high < 200:
            return value
        if value < 2_000:
            return max(low, value - value % self.rng.choice((1, 1, 10)))
        step = int(10 ** (len(str(value)) - 3))
        return max(low, value - value % step)

    def number(self, value: int) -> str:
        """Format an integer: `three`, `14`, `1,250`."""
        return SMALL[value] if 0 <= value < len(SMALL) else f"{value:,}"

    def count(self, value: int, one: str, many: str = "") -> str:
        """Format a count: `one home`, `14 homes`."""
        return f"{self.number(value)} {one if value == 1 else many or one + 's'}"

    def money(self, amount: float) -> str:
        """Convert an amount of the generator's money to local money and format it."""
        return self.local_money(amount * self.country.scale)

    def local_money(self, amount: float) -> str:
        """Format an amount of local money: `£4.2 million`, `$340,000`."""
        for size, word in ((1e9, "billion"), (1e6, "million")):
            if amount >= size * 0.9995:
                figure = f"{amount / size:.1f}".removesuffix(".0")
                return f"{self.country.currency}{figure} {word}"
        step = 10 ** max(0, len(str(int(amount))) - 2)
        return f"{self.country.currency}{int(round(amount / step) * step):,}"

    def price(self, amount: float) -> str:
        """Format a shop price: `$249`."""
        return (
            f"{self.country.currency}{max(10, round(amount * self.country.scale)) // 10 * 10 - 1:,}"
        )

    def percent(self, low: int, high: int, fine: bool = False) -> str:
        """Draw a percentage: `12%`, or `12.4%` if `fine`."""
        value = self.rng.randint(low, high)
        return f"{value}.{self.rng.randint(1, 9)}%" if fine else f"{value}%"

    def distance(self, miles: int) -> str:
        """Format a distance in the country's unit."""
        if self.country.metric:
            return f"{round(miles * KM_PER_MILE):,}km"
        return self.count(miles, "mile")

    def weekday(self, offset: int) -> str:
        """Return the weekday `offset` days after the story's date."""
        return (self.today + timedelta(days=offset)).strftime("%A")

    def date(self, offset: int) -> str:
        """Format the date `offset` days after the story's: `14 June`, American `June 14`."""
        when = self.today + timedelta(days=offset)
        month = when.strftime("%B")
        return f"{month} {when.day}" if self.country.american else f"{when.day} {month}"

    def year(self, offset: int) -> str:
        """Return the year `offset` years after the story's."""
        return str(self.today.year + offset)
