"""Which paragraphs of a page are its story: those an extractor keeps, and those it loses."""

import re
from collections import Counter
from collections.abc import Collection, Sequence

from lxml import html

from serving.fetch.blocks import Block, comparable, with_ancestors

# A teaser for another page: a small element around a linked headline, at least three alike.
_CARD_BLOCKS, _CARD_CHARACTERS, _MIN_CARDS = 4, 700, 3
_SURE = 25  # letters of a paragraph that an extractor's text holds by no accident
_SURE_DECLARED = 40  # the same for the text of the page's linked data
_MIN_REPEAT = 30  # letters of a paragraph that is left out when it appears again
_MIN_POSTS = 3  # elements alike in a live blog
# Headings of what follows a story.
_AFTERWARDS = re.compile(
    r"comment|discuss|related|more|newsletter|also|next|share|tags|about (?:us|the author)|popular"
    r"|recommend|trending|latest|subscri|sign up|follow|contact|kommentare|mehr|commentaires"
    r"|comentarios|reacties",
    re.IGNORECASE,
)
_AROUND = 3  # elements around a sentence that may be the story's


class _Spans(dict[html.HtmlElement, tuple[int, int]]):
    """The numbers of the first and the last paragraph in each element."""

    def __init__(self, blocks: Sequence[Block]) -> None:
        super().__init__()
        for number, block in enumerate(blocks):
            for element in with_ancestors(block.element):
                first, _ = self.get(element, (number, number))
                self[element] = first, number

    def within(self, number: int, element: html.HtmlElement) -> bool:
        first, last = self[element]
        return first <= number <= last


def story_blocks(blocks: Sequence[Block], kept: Sequence[str], declared: str) -> list[Block]:
    """Return the paragraphs of a page's story, in the page's order.

    These are the paragraphs that an extractor kept, and those that it lost: sentences in the same
    part of the page, sentences between the headline and that part, and sentences of the text that
    the page declares as its article. Paragraphs of teasers for other pages are marked as `card`.

    Args:
        blocks: paragraphs of the page.
        kept: paragraphs that an extractor kept.
        declared: the article as declared in the page's linked data, "" if it isn't.
    """
    spans = _Spans(blocks)
    _mark_cards(blocks, spans)
    sentences = [
        number
        for number, block in enumerate(blocks)
        if not block.outside and not block.card and block.is_prose
    ]
    seeds = _kept(blocks, kept) or _densest(blocks, sentences)
    if not seeds:
        return []
    first = min(seeds)
    root = _root(blocks, seeds, spans)
    headlines = [n for n, block in enumerate(blocks[:first]) if block.element.tag == "h1"]
    begin = headlines[-1] if headlines else first
    if not headlines or (root.tag == "article" and spans.within(begin, root)):
        begin = min(first, spans[root][0])
    chosen = {n for n in sentences if n >= begin and (n < first or spans.within(n, root))}
    key = comparable(declared)
    chosen |= seeds | {
        number
        for number, block in enumerate(blocks)
        if len(block.key) >= _SURE_DECLARED and block.key in key and block.element.tag != "h1"
    }
    return _without_repeats([blocks[number] for number in sorted(chosen)])


def _mark_cards(blocks: Sequence[Block], spans: _Spans) -> None:
    cards: dict[html.HtmlElement, tuple[str, str]] = {}
    for block in blocks:
        card = None
        for element in with_ancestors(block.element) if block.is_link else ():
            first, last = spans[element]
            inside = blocks[first : last + 1] if last - first < _CARD_BLOCKS else ()
            if not inside or sum(len(other.text) for other in inside) > _CARD_CHARACTERS:
                break
            card = element
        if card is not None:
            cards[card] = (card.tag, card.get("class", ""))
    alike = Counter(cards.values())
    for card, kind in cards.items():
        first, last = spans[card]
        for block in blocks[first : last + 1]:
            block.card |= alike[kind] >= _MIN_CARDS


def _kept(blocks: Sequence[Block], kept: Sequence[str]) -> set[int]:
    """Return the numbers of the paragraphs that an extractor kept, except those in cards."""
    exact = {comparable(text) for text in kept}
    joined = "".join(map(comparable, kept))
    return {
        number
        for number, block in enumerate(blocks)
        if not block.card
        and not block.outside
        and (not block.is_heading or block.is_prose)
        and (block.key in exact or (len(block.key) >= _SURE and block.key in joined))
    }


def _densest(blocks: Sequence[Block], sentences: Sequence[int]) -> set[int]:
    """Return the sentences in the small element with most of them."""
    characters: Counter[html.HtmlElement] = Counter()
    around = {n: list(with_ancestors(blocks[n].element))[:_AROUND] for n in sentences}
    for number, elements in around.items():
        for element in elements:
            characters[element] += len(blocks[number].text)
    if not characters:
        return set()
    [(best, _)] = characters.most_common(1)
    return {number for number, elements in around.items() if best in elements}


def _root(blocks: Sequence[Block], seeds: Collection[int], spans: _Spans) -> html.HtmlElement:
    """Return the element that holds the story."""
    first, last = min(seeds), max(seeds)
    around = [
        element for element in with_ancestors(blocks[first].element) if spans.within(last, element)
    ]
    marked = [element for element in around if _is_marked(element)]
    articles = [element for element in marked if element.tag == "article"]
    if articles:
        root = articles[-1]
    elif marked:
        root = marked[0]
    else:
        root = _widened(blocks, around[0], spans)
    parent = root.getparent()
    if parent is None or root.tag in {"body", "main"} or root.find(".//h1") is not None:
        return root
    kind = (root.tag, root.get("class"))
    posts = [element for element in parent if (element.tag, element.get("class")) == kind]
    return parent if len(posts) >= _MIN_POSTS else root


def _is_marked(element: html.HtmlElement) -> bool:
    return (
        element.tag in {"article", "main"}
        or element.get("role") == "main"
        or "articleBody" in element.get("itemprop", "")
    )


def _widened(blocks: Sequence[Block], root: html.HtmlElement, spans: _Spans) -> html.HtmlElement:
    """Return the outermost element that adds sentences only, and no heading of other things."""
    while (parent := root.getparent()) is not None and parent.tag not in {"body", "html"}:
        (begin, end), (first, last) = spans[parent], spans[root]
        before, after = blocks[begin:first], blocks[last + 1 : end + 1]
        headlines = [n for n, block in enumerate(before) if block.element.tag == "h1"]
        added = [*(before[headlines[-1] + 1 :] if headlines else before), *after]
        added = [block for block in added if not block.outside and not block.card]
        prose = sum(len(block.text) for block in added if block.is_prose)
        others = sum(len(block.text) for block in added if not block.is_prose)
        headings = [block.text for block in added if block.is_heading]
        if prose < others or any(map(_AFTERWARDS.search, headings)):
            break
        root = parent
    return root


def _without_repeats(blocks: Sequence[Block]) -> list[Block]:
    seen: set[str] = set()
    kept = []
    for block in blocks:
        if len(block.key) < _MIN_REPEAT or block.key not in seen:
            kept.append(block)
        seen.add(block.key)
    return kept
