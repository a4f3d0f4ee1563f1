"""One article's news desk: where and when it is filed, and how it writes values."""

import random
from collections.abc import Sequence
from datetime import date, timedelta
from typing import TypeVar

from tools.newswire.names import COUNTRIES, NameGroup, NamePool, Person

Value = str | Person
Values = dict[str, Value]
Choice = TypeVar("Choice")

SMALL = ("no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
FIRST_DAY = date(2014, 1, 6)
DAYS_COVERED = 3900
KM_PER_MILE = 1.609


class Desk:
    """Draws and formats everything a story needs; the same random state, the same story."""

    def __init__(self, rng: random.Random, group: NameGroup) -> None:
        self.rng = rng
        self.names = NamePool(rng, group)
        self.country = rng.choices(COUNTRIES, [c.weight for c in COUNTRIES])[0]
        self.region = rng.choice(self.country.regions)
        self.town = self.names.town()
        self.today = FIRST_DAY + timedelta(days=rng.randrange(DAYS_COVERED))

    def base_values(self) -> Values:
        """The slots every story may use."""
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
        """One of the options."""
        return self.rng.choice(options)

    def chance(self, share: float) -> bool:
        """True with the given probability."""
        return self.rng.random() < share

    def between(self, low: int, high: int) -> int:
        """A whole number, rounded the more coarsely the larger it is."""
        value = self.rng.randint(low, high)
        if high < 200:
            return value
        if value < 2_000:
            return max(low, value - value % self.rng.choice((1, 1, 10)))
        step = int(10 ** (len(str(value)) - 3))
        return max(low, value - value % step)

    def number(self, value: int) -> str:
        """`three`, `14`, `1,250`."""
        return SMALL[value] if 0 <= value < len(SMALL) else f"{value:,}"

    def count(self, value: int, one: str, many: str = "") -> str:
        """`one home`, `14 homes`."""
        return f"{self.number(value)} {one if value == 1 else many or one + 's'}"

    def money(self, amount: float) -> str:
        """An amount in local money, given in the corpus's own reckoning."""
        return self.local_money(amount * self.country.scale)

    def local_money(self, amount: float) -> str:
        """An amount already in local money: `£4.2 million`, `$340,000`."""
        for size, word in ((1e9, "billion"), (1e6, "million")):
            if amount >= size * 0.9995:
                figure = f"{amount / size:.1f}".removesuffix(".0")
                return f"{self.country.currency}{figure} {word}"
        step = 10 ** max(0, len(str(int(amount))) - 2)
        return f"{self.country.currency}{int(round(amount / step) * step):,}"

    def price(self, amount: float) -> str:
        """A shop price: `$249`."""
        return (
            f"{self.country.currency}{max(10, round(amount * self.country.scale)) // 10 * 10 - 1:,}"
        )

    def percent(self, low: int, high: int, fine: bool = False) -> str:
        """`12%`, or `12.4%` when fine."""
        value = self.rng.randint(low, high)
        return f"{value}.{self.rng.randint(1, 9)}%" if fine else f"{value}%"

    def distance(self, miles: int) -> str:
        """Miles or kilometres, as the country has it."""
        if self.country.metric:
            return f"{round(miles * KM_PER_MILE):,}km"
        return self.count(miles, "mile")

    def weekday(self, offset: int) -> str:
        """The name of the day `offset` days from the story's."""
        return (self.today + timedelta(days=offset)).strftime("%A")

    def date(self, offset: int) -> str:
        """`14 June`, or `June 14` in the United States."""
        when = self.today + timedelta(days=offset)
        month = when.strftime("%B")
        return f"{month} {when.day}" if self.country.american else f"{when.day} {month}"

    def year(self, offset: int) -> str:
        """The year `offset` years from the story's."""
        return str(self.today.year + offset)
