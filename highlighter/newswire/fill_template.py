"""Expands story templates.

`[a|b]` is a free choice, `<colour|color>` follows the country's spelling, `#rule#` is an entry
of the shared phrases that the article has not used yet, `%mood x1 role%` an attributed quote,
`{slot}` a value and `{n:3-40}` a value drawn on the spot.
"""

import re
from collections.abc import Callable

from highlighter.newswire.draw_names import Person, possessive
from highlighter.newswire.edit_text import tidy
from highlighter.newswire.read_texts import read_rules
from highlighter.newswire.run_desk import Desk, Value, Values
from highlighter.newswire.spell_american import americanise

_CHOICE = re.compile(r"\[([^\[\]]*)\]")
_SPELLING = re.compile(r"<([^<>|]*)\|([^<>|]*)>")
_RULE = re.compile(r"#([a-z.-]+)#")
_QUOTE = re.compile(r"%([a-z]+) (\w+) ([^%]+)%")
_SLOT = re.compile(r"\{([^{}]+)\}")
_DRAW = re.compile(r"([a-z]):(\d+)-(\d+)$")

# How a quote may be attributed; the speaker is always introduced in full.
_ATTRIBUTIONS = (
    '"#{mood}#," said {{{who}}}, {role}.',
    '"#{mood}#," said {{{who}}}, {role}. "#{mood}#."',
    '"#{mood}#," {{{who}}}, {role}, [said|told reporters|said afterwards]. "#{mood}#."',
    '{{{who}}}, {role}, [said|told reporters|said on {{today}}]: "#{mood}#."',
    '{{{who}}}, {role}, [said|put it this way]: "#{mood}#. #{mood}#."',
    '[Speaking|Asked about it] [afterwards|on {{today}}], {{{who}}}, {role}, said: "#{mood}#."',
)


class TemplateFiller:
    """Fills the templates of one article; remembers values, people and phrases it used."""

    def __init__(self, desk: Desk, values: Values) -> None:
        self._desk = desk
        self._values = values
        self._phrases = read_rules("phrases")
        self._used: set[tuple[str, int]] = set()

    def fill(self, template: str) -> str:
        """The template as finished copy."""
        return self.fill_noting(template, [])

    def fill_noting(self, template: str, noted: list[str]) -> str:
        """Like `fill`; adds the slot values that were written to `noted`."""
        text = _QUOTE.sub(self._attribute, template)
        while True:
            wider = _SPELLING.sub(self._spell, text)
            wider = _CHOICE.sub(self._choose, wider)
            wider = _RULE.sub(self._apply_rule, wider)
            if wider == text:
                break
            text = wider
        text = _SLOT.sub(lambda match: self._write_slot(match[1], noted), text)
        return tidy(americanise(text) if self._desk.country.american else text)

    def _attribute(self, match: re.Match[str]) -> str:
        form = self._desk.pick(_ATTRIBUTIONS)
        return form.format(mood=match[1], who=match[2], role=match[3])

    def _spell(self, match: re.Match[str]) -> str:
        return match[2] if self._desk.country.american else match[1]

    def _choose(self, match: re.Match[str]) -> str:
        options: list[str] = match[1].split("|")
        return self._desk.pick(options)

    def _apply_rule(self, match: re.Match[str]) -> str:
        entries = self._phrases[match[1]]
        free = [i for i in range(len(entries)) if (match[1], i) not in self._used]
        index = self._desk.pick(free or range(len(entries)))
        self._used.add((match[1], index))
        return entries[index]

    def _write_slot(self, slot: str, noted: list[str]) -> str:
        drawn = _DRAW.match(slot)
        if drawn:
            return self._draw(drawn[1], int(drawn[2]), int(drawn[3]))
        name, _, attribute = slot.partition(".")
        value = self._value(name)
        if isinstance(value, Person):
            if attribute in ("", "s", "pos", "fullpos"):
                noted.append(value.full if attribute in ("", "fullpos") else value.last)
            return value.form(attribute)
        noted.append(value)
        return possessive(value) if attribute == "pos" else value

    def _value(self, name: str) -> Value:
        if name not in self._values:
            self._values[name] = self._make(name)
        return self._values[name]

    def _make(self, name: str) -> Value:
        """A person (`x1`), man (`m1`), town (`t1`), coined word (`o1`) or surname (`s1`)."""
        if not re.fullmatch(r"[xmtos]\d+", name):
            raise KeyError(f"the story has no value for slot {name!r}")
        names = self._desk.names
        makers: dict[str, Callable[[], Value]] = {
            "x": names.person,
            "m": lambda: names.person(female=False),
            "t": names.town,
            "o": names.coin,
            "s": names.surname,
        }
        return makers[name[0]]()

    def _draw(self, unit: str, low: int, high: int) -> str:
        """A value that only this place of the text needs."""
        desk, rng = self._desk, self._desk.rng
        drawers: dict[str, Callable[[], str]] = {
            "n": lambda: desk.number(desk.between(low, high)),
            "m": lambda: desk.money(rng.uniform(low, high) * 1e6),
            "k": lambda: desk.money(rng.uniform(low, high) * 1e3),
            "p": lambda: desk.percent(low, high),
            "y": lambda: desk.year(-rng.randint(low, high)),
            "d": lambda: desk.date(rng.randint(low, high)),
            "b": lambda: desk.date(-rng.randint(low, high)),
            "l": lambda: desk.distance(rng.randint(low, high)),
        }
        return drawers[unit]()
