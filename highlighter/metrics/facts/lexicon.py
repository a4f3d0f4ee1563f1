"""Closed word lists of the rule that finds facts."""


def words_of(text: str) -> frozenset[str]:
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
# Words that open sentences of summaries and need not stand in the article.
OPENERS = words_of(
    "article activist activists analyst analysts attorney attorneys author authors authorities "
    "critic critics crowd doctor doctors document documents driver expert experts family fan fans "
    "father film investigator investigators lawmaker lawmakers lawyer lawyers man men mother move "
    "neighbor neighbors officer officers official officials opponents pair parent parents people "
    "photos player players police prosecutor prosecutors report reports researcher researchers "
    "resident residents scientist scientists source sources student students study supporter "
    "supporters suspect suspects teacher team video victim victims visitors witness witnesses "
    "woman women writer young recently originally previously reportedly currently find meet use"
)
TITLES = words_of(
    "mr mrs ms miss dr prof professor sir dame lord lady president vice deputy prime minister "
    "secretary foreign chancellor senator sen rep representative congressman congresswoman gov "
    "governor mayor judge justice chief attorney general gen lt col colonel capt captain sgt "
    "sergeant maj major cpl corporal lieutenant adm admiral officer detective rev reverend pope "
    "bishop archbishop cardinal king queen prince princess duke duchess sheikh ayatollah coach "
    "ambassador spokesman spokeswoman director jr sr"
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
    ("ny",): ("new", "york")
}  # fmt: skip
