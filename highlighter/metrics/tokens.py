"""Tokenize a text for the rules about facts, and the word lists of these rules."""

import re
import unicodedata
from decimal import Decimal
from typing import NamedTuple

from highlighter.data.characters import drop_invisible


def words_of(text: str) -> frozenset[str]:
    """Return the set of the words."""
    return frozenset(text.split())


FUNCTION_WORDS = words_of(
    "a an the this that these those i you he she it we they me him her us them my your his its our "
    "their mine who whom whose which what when where why how and or but nor so yet if then than "
    "because although though while whereas unless until since as at by for from in into of off on "
    "onto out over to toward towards up upon with within without about above across after against "
    "along amid among around before behind below beneath beside besides between beyond despite "
    "down during except inside like near outside past per through throughout under underneath "
    "unlike via is are was were be been being am do does did has have had having will would can "
    "could shall should may might must not no yes all any both each either every few many more "
    "most much neither none other others another several some such same only just also even still "
    "already again once now here there today tomorrow yesterday tonight however meanwhile instead "
    "later earlier perhaps maybe never always often too very well one two three four five six "
    "seven eight nine ten first second third last next new old former let says said say see"
)
# Words that open sentences of summaries and need not appear in the article.
OPENERS = words_of(
    "abductor absent accident according activist additional advertiser agency almost altogether "
    "amnesty amount analysis analyst anger announcement anti appeal article astronomer atmosphere "
    "attack attempt attorney author backers bandit bidder bidding big bigger biggest blaming "
    "blast blaze boat body boss bosses breaking broadcaster brother building buyer campaigner "
    "candidate ceremonies ceremony change charge child children citing citizen claim clash click "
    "close closed closure club comedian comes comment commentator companies company competing "
    "complaint computer concern conference conservative consumer content contrary controversial "
    "council councillor councilor countries country couple court crash crew critic criticism "
    "crowd current customer dad damage daughter deadly death debate defence defendant defense "
    "delegate demand demonstrator deputies detail detective digital diplomat doctor document "
    "double doubt dozens dramatic driver drugstore due early economic economist economy editor "
    "emergency employee ending engineer event evidence ex exclusive executive experiment expert "
    "failure families family famous fan father fear fellow fewer fighter figure film filmmaker "
    "final finally find finding finishing fire firefighter firm flight flooding footage founder "
    "friend funding further game gang gets getting giant girl gives goal gone government greater "
    "group growing guest gunman gunmen hacker half hearing heavy hero heroes historic hospital "
    "hostages huge hugely hundreds husband idea image immigrant incident include income increase "
    "individuals industry initial injured inmate inspector international intruder investigator "
    "investor jail journalist jury key kids killing know laboratory lack landlord latest lawmaker "
    "lawsuit lawyer lead leader leading led left legendary less lesson lifeboat link live local "
    "longtime loss lower main makes male man management mass measure media meet member men "
    "migrant militant military million minister missing model mom mother motorist move movie "
    "multiple murder national nearly neighbor neighbour newly news newspaper night nobody nurse "
    "objector observer offender offer officer official older ongoing online opening opponent "
    "organizer owner paper paramedic parent part passenger patient pay peers penalties people "
    "pharmacies photo photograph picture pilot plan plane player plus police policy political "
    "politician poll popular possible power praise predecessor pregnant president presidential "
    "priced prisoner probe producer professor profit program project promising proposal pros "
    "prosecutor protest protester protestor provider psychologist public pupil race racial raid "
    "raises rapper rare rate read reader rebel recently record recovery recruits refund region "
    "relative religion remarkable remember repair report reporter republicans rescuer research "
    "researcher resident restoring result retailer revenue review rival round rule rumors rural "
    "sales sample saving school scientist searcher season senior separate sequel sex share "
    "shareholder shot show shut side single sister site skip slain small smaller social soldier "
    "source speaker spectator staff star state statement street strike struggle student study "
    "suicide supporter surgeon survey survivor suspect take taking tape teacher team tech teen "
    "teenage teenager tens tension test tester testimony thieves thousands threat tip top tough "
    "tourist trader tragedy tragic train trial tried troops tweet twin ultimately unclear union "
    "unknown use users value valued vehicle veteran victim video viewer villager visit visitor "
    "volunteer vote voter voting war warning watch water wealthy weather website week whatever "
    "whether wide wife wind winner witness woman women work worker world writer writes writing "
    "wrong year young youngest youth"
)
_ORDINARY = re.compile(
    r"\w{4,}(?:[st]ions?|ments|ity|ities|ous|ful|less|ists|"
    r"[ai]bly|ally|edly|ingly|ously|ively|[ae]ntly|[^emr]ed)"
)
TITLES = words_of(
    "mr mrs ms miss dr prof professor sir dame lord lady president vice deputy prime minister "
    "secretary foreign chancellor senator sen rep representative congressman congresswoman gov "
    "governor mayor judge justice chief attorney general gen lt col colonel capt captain sgt "
    "sergeant maj major cpl corporal lieutenant adm admiral officer detective rev reverend pope "
    "bishop archbishop cardinal king queen prince princess duke duchess sheikh ayatollah coach "
    "ambassador spokesman spokeswoman director jr sr pm mp mps fm ceo boss chairman chairwoman "
    "executive manager captain striker midfielder defender goalkeeper actor actress author "
    "broadcaster columnist comedian composer designer economist editor historian journalist "
    "novelist passenger photographer pilot playwright poet presenter producer rapper reporter "
    "singer songwriter teacher writer astronaut financier billionaire businessman businesswoman"
)
PARTICLES = words_of(
    "of the de da di del della du des dos la le van von der den ter bin ibn al el &"
)
MONTHS = "january february march april may june july august september october november december"
MONTH = {form: n for n, m in enumerate(MONTHS.split(), 1) for form in (m, m[:3])} | {"sept": 9}
UNSURE_MONTHS = words_of("may march april june august")
BEFORE_MONTH = words_of(
    "in last this next since by until of early late mid from during before after"
)
WEEKDAYS = words_of("monday tuesday wednesday thursday friday saturday sunday")
_TEENS = (
    "one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen "
    "sixteen seventeen eighteen nineteen"
)
_TENS = "twenty thirty forty fifty sixty seventy eighty ninety"
SMALL = {word: n for n, word in enumerate(_TEENS.split(), 1)}
SMALL |= {word: 10 * n for n, word in enumerate(_TENS.split(), 2)}
SCALES = {"hundred": 2, "thousand": 3, "million": 6, "billion": 9, "trillion": 12}
SUFFIXES = {"k": 3, "m": 6, "bn": 9, "tn": 12}
_ORDINAL_WORDS = "third fourth fifth sixth seventh eighth ninth tenth"
ORDINALS = {word: n for n, word in enumerate(_ORDINAL_WORDS.split(), 3)}
NOT_NAMES = frozenset(MONTH) | WEEKDAYS | set(SMALL) | set(SCALES) | set(ORDINALS)
UNITS = {"percent": "%", "pc": "%", "$": "$", "dollar": "$", "£": "£", "pound": "£", "lb": "£"} | {
    "€": "€", "euro": "€", "¥": "¥", "yen": "¥"
}  # fmt: skip
ALIASES = {("us",): ("united", "states"), ("usa",): ("united", "states")} | {
    ("uk",): ("united", "kingdom"), ("un",): ("united", "nations"), ("eu",): ("european", "union"),
    ("ny",): ("new", "york"), ("la",): ("los", "angeles"), ("nyc",): ("new", "york", "city"),
    ("nypd",): ("new", "york", "police"), ("dc",): ("district", "of", "columbia")
}  # fmt: skip

_ENDING = re.compile(r"(?<=\w{3})(?:ies|es|ed|ing|s|e|y)\Z")

Number = tuple[str | Decimal, str]  # value (h:mm of a clock) and unit
Words = tuple[str, ...]
Key = tuple[object, ...]

_PUNCTUATION = str.maketrans(
    {"’": "'", "‘": "'", "ʼ": "'", "“": '"', "”": '"', "–": "-", "‐": "-", "‑": "-"}
)
_NICKNAME = re.compile(r"(?<=\w )([\"'])([A-Z][\w-]*(?: [A-Z][\w-]*)?)\1(?= [A-Z])")
_SPACED_INITIALS = re.compile(r"(?<=\b[B-HJ-Z]\.) (?=[A-Z]\.)")
_TOKEN = re.compile(
    r"""
    (?P<sign>[$£€¥][ ]?)?
    (?P<number>[0-9]{1,3}(?:,[0-9]{3})+(?![0-9])(?:\.[0-9]+)?|[0-9]+(?:[.:][0-9]+)?|(?<!\w)\.[0-9]+)
    (?:(?P<clock>[ ]?[ap]\.?m\b(?:\.(?!\s+[A-Z]))?)
      |(?P<unit>[ ]?%|(?:st|nd|rd|th|s)(?!\w))
      |(?P<scale>(?:k|m|bn|tn)(?!\w)))?
    |(?P<word>(?:[A-Za-z]\.){2,24}[A-Z]?(?![^\W_])
      |(?:Mrs?|Ms|Dr|Prof|Sen|Rep|Gov|Gen|Col|Lt|Sgt|Capt|Cpl|Maj|Adm|Rev|St|Mt|Ft|Jr|Sr)\.
      |(?:Jan|Feb|Mar|Apr|Jun|Jul|Aug|Sept?|Oct|Nov|Dec)\.(?=[ ]?[0-9])
      |[B-HJ-Z]\.(?=[ ]?[A-Z])
      |[^\W\d_][^\W_]*(?:['&][^\W\d_][^\W_]*)*|&)
    """,
    re.VERBOSE,
)
_JOINT = re.compile(r"[^\S\n]*|-")
_SENTENCE_START = re.compile(r"[^\s,'/-]|\n|'\Z|--|\s-\s")
_POSSESSIVE = re.compile(r"(.+)'(?:s|re|ve|ll|d|m)", re.IGNORECASE)


class Token(NamedTuple):
    """A word or number, its place in the text, and how it follows the token before it."""

    text: str
    key: str  # case-folded, without dots, apostrophes and possessive; "" of a number
    start: int
    end: int
    capital: bool
    joined: bool  # only spaces or a hyphen separate it from the token before
    hyphen: bool
    initial: bool  # starts a sentence or quotation
    possessive: bool
    number: Number | None


def normalise(text: str) -> str:
    """Return the text with ASCII quotes and hyphens, no accents, no quotes around nicknames."""
    if not text.isascii():
        text = unicodedata.normalize("NFKD", drop_invisible(text).translate(_PUNCTUATION))
        text = "".join(c for c in text if not unicodedata.combining(c))
    return _SPACED_INITIALS.sub("", _NICKNAME.sub(r"\2", text))


def _number_token(match: re.Match[str]) -> Number:
    digits = match["number"].replace(",", "")
    if match["clock"]:
        hour, _, minutes = digits.replace(".", ":").partition(":")
        return f"{hour}:{minutes or '00'}", match["clock"].strip()[0] + "m"
    if ":" in digits:
        return digits, ""
    unit = (match["unit"] or match["sign"] or "").strip()
    scale = match["scale"]
    if scale == "m" and not unit:  # metres or millions
        return Decimal(digits), "m"
    value = Decimal(digits).scaleb(SUFFIXES[scale] if scale else 0)
    return value, "th" if unit in {"st", "nd", "rd"} else unit


def tokenize(text: str) -> list[Token]:
    """Return the tokens of a normalized text."""
    tokens: list[Token] = []
    end = 0
    for match in _TOKEN.finditer(text):
        gap, word = text[end : match.start()], match["word"] or ""
        possessive = _POSSESSIVE.fullmatch(word) if "'" in word else None
        name = possessive[1] if possessive else word
        fused = bool(tokens) and not gap and tokens[-1].number is not None  # the mph of 20mph
        capital = name != name.lower() and not fused and name != "I"
        tokens.append(
            Token(
                text=name if word else match[0],
                key=name.casefold().replace(".", "").replace("'", ""),
                start=match.start(),
                end=match.start() + len(name) if word else match.end(),
                capital=capital and not name.casefold().endswith("n't"),
                joined=bool(tokens) and (gap == " " or _JOINT.fullmatch(gap) is not None),
                hyphen=gap == "-",
                initial=not tokens
                or (gap != " " and _SENTENCE_START.search(gap) is not None)
                or (tokens[-1].text.endswith(".") and len(tokens[-1].text) > 3),  # in the U.S. He
                possessive=possessive is not None,
                number=None if word else _number_token(match),
            )
        )
        end = match.end()
    return tokens


def stem(word: str) -> str:
    """Return the word without an ending of an English plural or verb."""
    return _ENDING.sub("", word)


def opens_sentences(word: str) -> bool:
    """Return whether a case-folded word often begins a sentence and seldom is a name."""
    return (
        word in FUNCTION_WORDS
        or word in OPENERS
        or word.removesuffix("s") in OPENERS
        or _ORDINARY.fullmatch(word) is not None
    )
