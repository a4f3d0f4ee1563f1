"""Words of which at most one is true of the same thing."""

import re
from collections.abc import Iterator

from highlighter.metrics.tokens import words_of

# One line for each pair: words of one meaning, and of its opposite.
_OPPOSITES = """
rise rose risen increase increasing grow grew grown growth climb surge soar upturn elevated | \
fall fell fallen decline drop decrease shrink shrank plunge tumble slump sink sank downturn
accept approve endorse welcome support back agree | reject refuse oppose
allow permit authorize | ban banned forbid forbidden prohibit
remove delete withdraw uninstall eliminate | keep install retain add
guilty | innocent
convict | acquit
alive survive survivor | dead die died death kill
highest | lowest
largest biggest | smallest
large big huge giant enormous massive | small tiny miniature mini
high | low
new latest fresh recent modern | old outdated
young | old elderly
early | late
best | worst
more | fewer less
strong stronger | weak weaker
long longer | short shorter
rich wealthy | poor
hot warm | cold cool
safe | dangerous unsafe
legal | illegal
public | private secret
personal | official company
succeed success successful | fail failure failed unsuccessful
friend ally | enemy foe
love | hate
man men male | woman women female
boy schoolboy | girl schoolgirl
husband | wife
brother | sister
son | daughter
father dad | mother mom mum
grandfather | grandmother
uncle | aunt
nephew | niece
king | queen
prince | princess
actor | actress
north northern | south southern
east eastern | west western
inside | outside
nearby near close | distant remote far
majority most | minority
positive | negative
attack | defend defence defense
lend | borrow
import | export
employer | employee
remember | forget forgot
praise hail applaud | criticize criticise condemn denounce slam blast
hire | sack dismiss
lift ease relax | impose tighten
raise | cut reduce slash lower
deny denied | admit confess acknowledge concede confirm
include | exclude
inflate | deflate
contain curb | inflate raise
surplus | deficit
profit | loss
civilian | military
urban | rural
domestic | foreign
temporary | permanent
voluntary | mandatory compulsory
common | rare
full | empty
light bright glowing shining | dark
wet rainy | dry
clean | dirty
happy | sad unhappy
quick fast quickly | slow slowly
wide | narrow
easy | difficult hard
cheap | expensive
optimistic | pessimistic
liberal | conservative
peace | war
true | false
morning | evening
summer | winter
indoor | outdoor
born birth | died death
begin began start launch | end halt finish stop cease
encourage urge | discourage
strengthen | weaken
advance | retreat
hero | villain
peaceful | violent
lender | borrower
minimum | maximum
forward ahead | backward back
victim | attacker
predecessor | successor
ascend | descend
expand expansion | contract contraction
improve | worsen deteriorate
healthy | sick ill unwell
"""

# One line for each kind of thing; words of one meaning are joined by "/".
_KINDS = """
murder manslaughter rape robbery theft fraud arson kidnapping burglary
train plane/aircraft/jet car bus truck/lorry ship/boat/vessel bicycle/bike motorcycle helicopter
school hospital/clinic church mosque synagogue prison/jail airport restaurant supermarket
doctor/physician lawyer/attorney nurse engineer farmer teacher
astronomer biologist chemist geologist physicist
dog cat horse cow pig sheep shark lion tiger bear elephant snake
football/soccer basketball baseball tennis golf cricket rugby hockey
galaxy star planet asteroid comet moon
smartphone/phone laptop tablet
flood/flooding earthquake/quake hurricane tornado wildfire tsunami drought avalanche
federal provincial municipal
oil coal
gold silver bronze
knife gun
beach forest mountain desert cliff/clifftop hilltop
river lake ocean
cancer diabetes flu/influenza coronavirus/covid tuberculosis malaria measles ebola hiv rsv
bond stock loan
sale profit revenue
gay lesbian
spring summer autumn/fall winter
breakfast lunch dinner
father brother husband son uncle grandfather nephew
mother sister wife daughter aunt grandmother niece
brother sister wife
"""


# Verbs and adjectives that lose their meaning, not only their truth, without the prefix.
_NO_OPPOSITES = words_of(
    "unveiled unveiling uncovered uncovering unleashed unleashing unfolded unfolding unlocked "
    "unlocking undertaking undergoing unearthed unearthing unloaded unloading united uniting"
)
_UN = re.compile(r"(?:un|non)(\w{3,}(?:ed|ing|able|ible|al|ful|fair|safe|happy|known|seen|even))")
_DIS = re.compile(
    r"dis((?:agree|approve|appear|connect|allow|obey|trust|respect|like)(?:s|d|ed|ing)?"
    r"|honest|loyal|similar|satisfied)"
)
_PREFIXES = ("un", "non", "dis")

Excluded = tuple[frozenset[str], frozenset[str]]  # words of one meaning, and what they exclude


def _forms(words: str, *, verbs: bool) -> frozenset[str]:
    """Return the words with their regular endings."""
    forms = set()
    for word in words.replace("/", " ").split():
        base = word.removesuffix("y") + "i" if re.search(r"[^aeiou]y$", word) else word
        forms |= {word, f"{base}es" if base != word else f"{word}s"}
        if word.endswith(("s", "sh", "ch", "x")):
            forms.add(f"{word}es")
        if verbs:
            bare = word.removesuffix("e")
            forms |= {f"{bare if base == word else base}ed", f"{bare}ing"}
    return frozenset(forms)


def _read() -> dict[str, list[Excluded]]:
    table: dict[str, list[Excluded]] = {}

    def add(own: frozenset[str], others: frozenset[str]) -> None:
        for word in own:
            table.setdefault(word, []).append((own, others - own))

    for line in _OPPOSITES.strip().split("\n"):
        left, right = (_forms(side, verbs=True) for side in line.split("|"))
        add(left, right)
        add(right, left)
    for line in _KINDS.strip().split("\n"):
        meanings = [_forms(words, verbs=False) for words in line.split()]
        for own in meanings:
            add(own, frozenset().union(*meanings))
    return table


_TABLE = _read()


def opposites_of(word: str) -> Iterator[Excluded]:
    """Yield sets of words with a word's meaning, each with the words that it excludes.

    Args:
        word: in lower case.
    """
    yield from _TABLE.get(word, ())
    own = frozenset({word})
    if word in _NO_OPPOSITES:
        return
    if match := _UN.fullmatch(word) or _DIS.fullmatch(word):
        yield own, frozenset({match[1]})
    with_prefix = {prefix + word for prefix in _PREFIXES}
    opposites = {w for w in with_prefix if _UN.fullmatch(w) or _DIS.fullmatch(w)} - _NO_OPPOSITES
    if opposites:
        yield own, frozenset(opposites)
