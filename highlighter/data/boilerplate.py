"""Hide bylines, time stamps and labels of news sites, which are no sentences of the story."""

import re
from collections.abc import Iterator

from highlighter.data.characters import has_visible_text

_AGENCY = r"\((?:CNN|Reuters|REUTERS|AP|AFP|BBC|UPI)\b[^()\n]{0,30}\)"
_DATE = r"\d{1,2}(?:st|nd|rd|th)?\s+[A-Z]\w{2,8}\s+\d{4}"
_STAMP = (
    rf"(?:(?:published|updated|created)\s*:(?:\s*\.(?=\s))?\s+"
    rf"(?:\d{{1,2}}:\d{{2}}[^.|\n]{{0,20}}?,?\s+)?{_DATE}"
    rf"|last\s+updated\s+(?:at|on)\s+[^.|\n]{{0,30}}?{_DATE})"
)
_NAMES = r"(?:[A-Z][\w.'’-]*|and|for|in|of|de|la|van|von|the|&|,|\|)"

# "By . Jane Quill . PUBLISHED: . 05:06 EST, 3 June 2013 . | . UPDATED: . …": the Daily Mail's rows
# of CNN/DailyMail, in which every line of the page ends with a detached full stop.
_DETACHED_HEAD = re.compile(
    rf"\s*(?:By\s+\.\s+\S[^\n]{{0,100}}?\s\.(?=\s)(?:\s+and\s+(?:\.\s+)?\S[^\n]{{0,60}}?\s\.(?=\s))?"
    rf"|(?i:{_STAMP})\s*\.?(?=\s|$))"
)
# The same on lines of their own, below a headline or not.
_HEAD_LINE = re.compile(
    rf"\s*(?:By\s+{_NAMES}(?:[ ,]+{_NAMES}){{0,11}}\s*[|.]?"
    rf"|(?i:{_STAMP})(?:\s*\|\s*(?i:{_STAMP}))?\s*[|.]?)\s*"
)
# Dates and the like alone on a line, as copied from a page: "Tue 3 May 2022 06.00 BST".
_WEEKDAY = r"(?:(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun)[a-z]*,?\s+)?"
_TIME = r"(?:,?\s+(?:at\s+)?\d{1,2}[:.]\d{2}(?:\s*[ap]\.?m\.?)?(?:\s+[A-Z]{2,4})?)?"
_PUBLISHED = r"(?i:(?:first |last )?(?:published|updated|posted|modified)(?: (?:on|at))?\s*:?)"
_DATE_LINE = re.compile(
    rf"\s*(?:{_PUBLISHED}|(?:{_PUBLISHED}\s+)?(?:{_WEEKDAY}(?:{_DATE}|[A-Z]\w{{2,8}}\.?"
    rf"\s+\d{{1,2}},\s+\d{{4}}){_TIME}|(?i:\d{{1,2}} (?:minute|hour|day|week)s? ago))"
    r"|(?i:\d{1,2} min(?:ute)?s? read)|BBC News)\s*"
)
_LABEL_LINE = re.compile(
    r"\s*(?:(?:skip )?advertisement|share(?: this (?:article|page|story|video))?|copy link"
    r"|(?:article|story) continues (?:below|after)\b.{0,40}|(?:getty images|press association)"
    r"|\((?:image|photo|picture|credit)s?: [^()]{1,60}\)|(?:read|see) (?:more|also): .{1,120})\s*",
    re.IGNORECASE,
)
_BAR = re.compile(r"\s*\|\s*\.?\s*")  # between two stamps
_DATELINE = re.compile(rf"\s*(?:[A-Z][\w ,.'’-]{{0,60}})?{_AGENCY}\s*(?:--|[-–—])?\s*")
_LABEL = re.compile(
    r"(?im)(?:^|(?<=[.!?:\"'”’]\s))[^\S\n]*"
    r"(?:scroll down (?:for|to) [\w ]{1,40}?|e-?mail to a friend)[^\S\n]*(?:\.|$)"
)
_HIGHLIGHTS = re.compile(r"\s*Story highlights\b[^\S\n]*:?", re.IGNORECASE)
_STORY = re.compile(rf"(?:[A-Z][A-Z ]+,?[\w ,.]{{0,40}})?{_AGENCY}\s*(?:--|[-–—]|(?=[A-Z\"“]))")
_FINISHED = re.compile(r"[.!?][\"'”’)]*\s*\Z")

_HEAD_LINES = 12  # bylines and stamps are looked for in this many lines
_MOST_HIGHLIGHTS = 6
_HIGHLIGHTS_CHARACTERS = 800


def hide_boilerplate(article: str) -> str:
    """Return the article with boilerplate replaced by spaces; all offsets and line breaks stay.

    Hidden are a byline and time stamps at the top, a dateline on its own line, "Story highlights"
    at the top with the list below it, and labels such as "Scroll down for video", or "Share" on a
    line of its own. An article that would have
    nothing left is returned as it is.
    """
    characters = list(article)
    for start, end in _boilerplate(article):
        for index in range(start, end):
            if characters[index] != "\n":
                characters[index] = " "
    hidden = "".join(characters)
    return hidden if has_visible_text(hidden) else article


def _boilerplate(article: str) -> Iterator[tuple[int, int]]:
    start = _highlights_end(article)
    yield 0, start
    found = False
    while match := (_DETACHED_HEAD.match(article, start) or found and _BAR.match(article, start)):
        yield match.span()
        start, found = match.end(), True
    for number, (line_start, line_end) in enumerate(_lines(article, 0)):
        if number == _HEAD_LINES:
            break
        line = article[line_start:line_end]
        if len(line) < 200 and (
            _HEAD_LINE.fullmatch(line)
            or _DATELINE.fullmatch(line)
            or _DATE_LINE.fullmatch(line)
            or (found and _BAR.fullmatch(line))
        ):
            yield line_start, line_end
            found = True
    for match in _LABEL.finditer(article):
        yield match.span()
    for line_start, line_end in _lines(article, 0) if "\n" in article else ():
        if line_end - line_start < 200 and _LABEL_LINE.fullmatch(article, line_start, line_end):
            yield line_start, line_end


def _highlights_end(article: str) -> int:
    """Return where "Story highlights" and the list below it end; 0 without them."""
    label = _HIGHLIGHTS.match(article)
    if label is None:
        return 0
    story = _STORY.search(article, label.end(), label.end() + _HIGHLIGHTS_CHARACTERS)
    if story:
        return story.start()
    end = label.end()
    finished = False
    for count, (line_start, line_end) in enumerate(_lines(article, label.end())):
        line = article[line_start:line_end]
        if count > _MOST_HIGHLIGHTS or _FINISHED.search(line):
            finished = bool(_FINISHED.search(line))
            break
        if line.strip():
            end = line_end
    # Without a sentence below the list, nothing tells it from the story.
    return end if finished else label.end()


def _lines(text: str, start: int) -> Iterator[tuple[int, int]]:
    while start <= len(text):
        end = text.find("\n", start)
        end = len(text) if end < 0 else end
        yield start, end
        start = end + 1
