"""The paragraphs of a page's tree, and what they look like."""

import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field

from lxml import html

from highlighter.data.characters import drop_invisible


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


# Elements that begin and end a paragraph; so do those that HTML does not define ("x-paragraph").
_BLOCKS = _words(
    "address article aside blockquote body caption center dd details dialog dir div dl dt "
    "fieldset figcaption figure footer form h1 h2 h3 h4 h5 h6 header hgroup hr li main menu nav "
    "ol option p pre section summary table tbody td tfoot th thead tr ul noscript template"
)
_HEADINGS = _words("h1 h2 h3 h4 h5 h6")
_NEVER_TEXT = _words(
    "script style head svg math iframe object select button textarea input video audio canvas "
    "datalist rp rt title noframes"
)
_INERT = _words("noscript template")
# Left out wherever they stand, and left out unless they hold the headline or much of the page:
# old sites wrap all of a page in a form, new ones name a wrapper "has-sidebar".
_OUTSIDE_TAGS = _words("nav footer address dialog menu")
_DOUBTFUL_TAGS = _words("aside form fieldset")
_OUTSIDE_NAMES = _words(
    "comment comments disqus cookie cookies consent gdpr nav navbar navigation footer "
    "breadcrumb breadcrumbs pagination"
)
_DOUBTFUL_NAMES = _words(
    "ad ads adslot advert advertisement advertising promo promoted sponsor sponsored sidebar "
    "rail related recommended recommendation recommendations recirculation trending popular "
    "outbrain taboola social share sharing newsletter signup subscribe login caption credit "
    "credits byline bio tags toolbar poll banner overlay modal popup disclaimer copyright"
)
# With these, a name says what a wrapper has, not what it is: "no-comments", "nav-content".
_STATES = _words("no has with without enabled disabled open closed given")
_WRAPPERS = _words("content page main wrapper story article")
_CAPTION_NAMES = _words("caption captions")
_MEDIA = _words("img picture video audio iframe svg canvas object embed amp-img amp-video")
_CREDIT = re.compile(
    r"\b(?:photo(?:graph|grapher|s)?|image|picture|credit|foto|getty|reuters|afp|pa|ap|epa|dpa)\b|©",
    re.IGNORECASE,
)
_LEAD_NAMES = _words("lead lede intro standfirst")
_MUCH, _MUCH_OF_WRAPPER = 0.4, 0.2  # of a page's text
_NAME = re.compile(r"[A-Z]?[a-z0-9]+|[A-Z]+")
_SPACES = re.compile(r"[^\S\n]+")
_LINES = re.compile(r" ?\n ?")
_ALL_SPACE = re.compile(r"\s+")
_NO_WORD = re.compile(r"[\W_]+")

_ENDS = re.compile(r"[.!?…。！？؟।։።][\"'”’»)\]」』]*(?:\[\d+\])?$")  # a sentence's end
_STOPS = re.compile(r"[.!?…。！？؟।։።](?:[\"'”’»)\]」』\s]|$)")
_UNSPACED = re.compile(r"[\u0e00-\u0eff\u3041-\u30ff\u3400-\u9fff]")  # no spaces between words
_CHATTER = re.compile(
    r"(?:sign up|(?:sign|log) in (?:to|or)|subscribe (?:to|now|for)|read (?:more|also|next|full)"
    r"|related ?(?::|stor|article)"
    r"|share (?:this|on|via|with)|follow us|advertisement|click here|©|\(c\)|copyright"
    r"|all rights reserved|photo(?:graph)?s? ?(?::|by)|image ?:|picture ?:|watch (?:live|the video)"
    r"|watch ?:|published ?:|updated ?:|last (?:updated|modified)"
    r"|listen to (?:this|the)|download (?:our|the) app|contact us|more on this|most read"
    r"|recommended (?:for|stor|article)|scroll down|skip to|by continuing|we use cookies"
    r"|this (?:site|website) uses|get (?:our|the) (?:daily|free|morning|weekly)"
    r"|sponsored (?:by|content)|promoted (?:by|content|stor)|support our|donate (?:now|to)"
    r"|privacy policy|terms (?:of|and) |do you have a (?:story|tip)|got a (?:story|tip)"
    r"|join the conversation|comments? (?:are )?closed|à?\s?lire aussi|lesen sie auch"
    r"|mehr zum thema|lees ook|lea también|leer más|leggi anche|anzeige ?(?::|$)|publicité ?(?::|$)"
    r"|publicidad ?(?::|$)|werbung ?(?::|$))",
    re.IGNORECASE,
)
_CHATTER_CHARACTERS = 200  # longer paragraphs are sentences that begin like that
_LONG, _SHORT_LONG = 80, 30  # characters of a sentence that needs no full stop; of Chinese, Thai


@dataclass
class Block:
    """A paragraph of a page, as far as no other block-level element interrupts it."""

    text: str
    element: html.HtmlElement
    linked: int  # characters inside links
    link: str | None  # target of the first link
    outside: bool  # in a menu, a comment, an advertisement, …
    card: bool = False  # of a teaser for another page
    key: str = field(init=False)

    def __post_init__(self) -> None:
        self.key = comparable(self.text)

    @property
    def tags(self) -> set[str]:
        """Return the tags of the elements that it stands in."""
        return {element.tag for element in with_ancestors(self.element)}

    @property
    def is_heading(self) -> bool:
        """Return whether it is a heading."""
        return self.element.tag in _HEADINGS

    @property
    def is_link(self) -> bool:
        """Return whether it leads to another page and says nothing else."""
        return (
            self.linked >= 0.9 * len(self.text)
            and len(self.text) >= 15
            and self.link is not None
            and "#" not in self.link
        )

    @property
    def is_prose(self) -> bool:
        """Return whether it reads like a sentence of a story."""
        text = self.text
        ends = _ENDS.search(text) is not None
        if self.linked > 0.5 * len(text) and not (_STOPS.search(text) and len(text) >= _LONG):
            return False
        if len(text) < _CHATTER_CHARACTERS and _CHATTER.match(text):
            return False
        unspaced = _UNSPACED.search(text) is not None
        words = len(text) // 3 if unspaced else len(text.split())
        if self.is_heading:
            if self.element.tag == "h1":
                return words >= 12 and ends
            return words >= 8 and (ends or len(text) >= 100)
        return (ends and words >= 2) or len(text) >= (_SHORT_LONG if unspaced else _LONG)


def comparable(text: str) -> str:
    """Return a text's letters and digits in lower case."""
    return _NO_WORD.sub("", text).casefold()


def page_blocks(
    tree: html.HtmlElement, *, inert: bool = False, captions: bool = False
) -> list[Block]:
    """Return the paragraphs of a page in its order.

    Args:
        tree: the page; elements are nested 100 deep at most.
        inert: whether to read `noscript` and `template` too.
        captions: whether sentences below pictures may be the story's.
    """
    reader = _Reader(tree, _NEVER_TEXT if inert else _NEVER_TEXT | _INERT, captions=captions)
    reader.read(tree, outside=False, link=None, verbatim=False)
    reader.end_block(tree, outside=False)
    return reader.blocks


class _Reader:
    def __init__(self, tree: html.HtmlElement, skipped: Collection[str], *, captions: bool) -> None:
        self._captions = captions
        self.blocks: list[Block] = []
        self._skipped = skipped
        self._characters = max(1, _text_length(tree, skipped))
        self._parts: list[str] = []
        self._linked = 0
        self._link: str | None = None

    def read(
        self, element: html.HtmlElement, *, outside: bool, link: str | None, verbatim: bool
    ) -> None:
        tag = element.tag
        if not isinstance(tag, str) or tag in self._skipped:
            return
        if tag == "br":
            self._parts.append("\n")
            return
        is_block = tag in _BLOCKS or "-" in tag
        parent = element.getparent()
        if is_block and parent is not None:
            self.end_block(parent, outside=outside)
        outside = outside or self._is_outside(element)
        if tag == "a":
            link = element.get("href") or link
        verbatim = verbatim or tag == "pre"
        self._add(element.text, link, verbatim)
        for child in element:
            self.read(child, outside=outside, link=link, verbatim=verbatim)
            self._add(child.tail, link, verbatim)
        if is_block:
            self.end_block(element, outside=outside)
        elif tag == "time" and parent is not None and (element.tail or "")[:1].isalnum():
            self.end_block(parent, outside=outside)  # a date line that looks like one by its style

    def _add(self, text: str | None, link: str | None, verbatim: bool) -> None:
        if not text:
            return
        text = (_SPACES if verbatim else _ALL_SPACE).sub(" ", text)
        self._parts.append(text)
        if link is not None:
            self._linked += len(text.strip())
            self._link = self._link or link

    def end_block(self, element: html.HtmlElement, *, outside: bool) -> None:
        if self._parts:
            text = _LINES.sub("\n", drop_invisible(_SPACES.sub(" ", "".join(self._parts))))
            for part in re.split(r"\n{2,}", text):
                stripped = part.strip()
                if stripped:
                    linked = min(self._linked, len(stripped))
                    self.blocks.append(Block(stripped, element, linked, self._link, outside))
        self._parts, self._linked, self._link = [], 0, None

    def _is_outside(self, element: html.HtmlElement) -> bool:
        tag = element.tag
        story = self._captions and _is_caption(element)
        if story or tag in {"html", "body", "main", "h1"} or element.find(".//h1") is not None:
            return False
        if tag in _OUTSIDE_TAGS or element.get("role") in {"navigation", "dialog", "contentinfo"}:
            return True
        if tag in {"figure", "figcaption"} and _is_below_picture(element):
            return True
        if tag == "header" and not any(part.tag == "article" for part in element.iterancestors()):
            return element.find(".//nav") is not None
        names = frozenset() if tag == "article" else _names(element)
        if names & _OUTSIDE_NAMES and not names & _STATES:
            return not names & _WRAPPERS or self._share(element) < _MUCH_OF_WRAPPER
        doubtful = tag in _DOUBTFUL_TAGS or names & _DOUBTFUL_NAMES
        return bool(doubtful and not names & _LEAD_NAMES and self._share(element) < _MUCH)

    def _share(self, element: html.HtmlElement) -> float:
        return _text_length(element, self._skipped) / self._characters


def _is_below_picture(element: html.HtmlElement) -> bool:
    """Return whether the text of a figure, or of its `figcaption`, says what a picture shows."""
    figure = next(iter(element.iterancestors("figure")), element)
    if next(figure.iter(*_MEDIA), None) is None:
        return False
    if element.tag == "figcaption":
        return True
    if next(figure.iter("figcaption"), None) is not None or _names(figure) & _LEAD_NAMES:
        return False
    text = _ALL_SPACE.sub(" ", " ".join(figure.itertext())).strip()
    return len(text) < _LONG or not _ENDS.search(text) or _CREDIT.search(text) is not None


def _is_caption(element: html.HtmlElement) -> bool:
    return element.tag in {"figure", "figcaption"} or bool(_names(element) & _CAPTION_NAMES)


def _names(element: html.HtmlElement) -> frozenset[str]:
    """Return the words of an element's class and id, and of the tag if HTML does not define it."""
    tag = element.tag if "-" in element.tag else ""
    given = f"{tag} {element.get('class', '')} {element.get('id', '')}"
    return frozenset(name.lower() for name in _NAME.findall(given[:500]))


def _text_length(element: html.HtmlElement, skipped: Collection[str]) -> int:
    return sum(
        len((part.text or "").strip()) + len((part.tail or "").strip())
        for part in element.iter()
        if part.tag not in skipped
    )


def with_ancestors(element: html.HtmlElement) -> Iterator[html.HtmlElement]:
    """Yield an element and what it is in, from the inside to the outside."""
    yield element
    yield from element.iterancestors()
