"""Pages that look like an article and are none: consent walls, robot checks, error pages, stubs."""

import re
from collections.abc import Sequence

from serving.fetch.blocks import Block

# Words of each kind of page, in the languages in which such pages are common.
_TERMS = {
    "a request for consent to cookies": (
        r"cookies?\b|consent|privacy (?:policy|settings|choices)|personal(?:i[sz]ed)? (?:data|ads)"
        r"|on (?:your|a) device|which device|small files|(?:companies|partners|vendors) "
        r"|legitimate interest|change your mind|if you (?:agree|accept|refuse|consent)|einwillig"
        r"|datenschutz|zustimm|partner|consentement|confidentialité|données personnelles"
        r"|consentimiento|privacidad|toestemming|consenso"
    ),
    "a request to switch off an ad blocker": (
        r"ad[- ]?block|block(?:s|ing|er for)? (?:our |the )?ad(?:s|verts|vertis)|switch it off"
        r"|turn(?:ed)? (?:it )?off|disabl|whitelist|allow[- ]?list|allow (?:the )?ads|advertis\w+"
        r"|\bads\b|werbeblocker|bloqueur|bloqueador"
    ),
    "a check for robots or a request for JavaScript": (
        r"browser|not a (?:robot|program|bot)|captcha|verif(?:y|ying|ication)|human|automated"
        r"|unusual (?:traffic|activity)|javascript|security (?:check|service)|cloudflare|ray id"
        r"|access (?:denied|(?:to )?this (?:page|site))|blocked|ddos|permission|contact us"
        r"|redirected (?:automatically|shortly)|opens by itself|(?:one|just a) moment"
        r"|reference (?:below|number)|roboter|sicherheitsprüfung|robot\b"
    ),
    "a page that is not shown in your country": (
        r"visitors from|(?:your|this|the) (?:country|region|location|territory)"
        r"|unavailable (?:to|in|for)|not available (?:to|in|for)|gdpr|eu law|economic area|european"
        r"|legal reasons|ensure your data"
    ),
    "an error page": (
        r"page (?:that )?you (?:were|are) (?:looking|searching)|page (?:that )?you requested"
        r"|page not found|page does(?: not|n['’]t) exist|\b404\b|no longer (?:available|exists?)"
        r"|(?:could|can)(?: ?not|n['’]t) (?:be )?(?:found|find)|been (?:moved|removed|deleted)"
        r"|(?:mis)?typed|(?:wrong|broken) link|front ?page|home ?page|go back|out of date"
        r"|try (?:the |our )?search|search (?:above|box)|something went wrong|try again"
        r"|maintenance|back (?:soon|online|shortly)|temporarily|mistake of ours|write to us"
        r"|report (?:it|this)|seite (?:wurde )?nicht gefunden|page (?:est )?introuvable"
        r"|página no (?:encontrada|existe)"
    ),
    "an offer of a subscription or a sign-in": (
        r"subscri(?:be|ption|ber)|sign(?:ed)? ?(?:in|up)|log ?(?:in|ged)|regist(?:er|ration)"
        r"|account|trial|(?:continue|keep) reading|unlock|free articles?|members? only|premium"
        r"|cancel any ?time|(?:a|per) month|unlimited|abonn|suscr[ií]|registrier|anmelden"
    ),
}
_KINDS = {kind: re.compile(terms, re.IGNORECASE) for kind, terms in _TERMS.items()}
_READER = re.compile(
    r"\b(?:you|your|yours|please|sorry|we|our|us|oops|this (?:site|page|website|article|content)"
    r"|sie|ihr|ihre|ihren|wir|unsere[rn]?|bitte|vous|votre|vos|nous|notre|usted|su|sus|nuestr\w+"
    r"|u|uw|wij|onze)\b",
    re.IGNORECASE,
)
_QUOTED = re.compile(r"“[^”]*”|\"[^\"]*\"|«[^»]*»|„[^“”]*[“”]|‘[^’]*’(?!\w)")
_SENTENCE = re.compile(r"[^.!?…]+[.!?…]*")
_LONGEST = 2500  # characters of a notice
# Shares of a text: sentences that speak to the reader; sentences in words of one kind, of any kind.
_TO_READER, _IN_TERMS, _IN_SEVERAL = 0.6, 0.5, 0.75
_MIN_TERMS = 2

_WALL = re.compile(
    r"(?:subscri\w+|sign(?:ed)? ?(?:in|up)|log ?in|regist\w+|join|account|member\w*|trial|premium)"
    r"[^.!?]{0,60}\b(?:to|and) (?:continue|keep|read|unlock|access|view|see|finish|enjoy)\b"
    r"|(?:to|for) (?:continue|keep|finish) reading|continue reading (?:this|the|your|with|for)"
    r"|to (?:read|unlock|access|view) (?:the (?:rest|full|whole|entire|remaining)|more of)"
    r"|to (?:read|unlock|access|view) this (?:article|story)"
    r"|(?:article|story|content) is (?:only |exclusively |reserved |available )*(?:for|to) "
    r"(?:our )?(?:\w+ )?(?:subscribers|members|paying)|(?:subscribers?|members?)[- ]only"
    r"|(?:reached|used|read) (?:all )?(?:your|the|\d+|one)[^.!?]{0,30}(?:limit|free|articles)"
    r"|(?:remaining|rest of (?:this|the)) (?:article|story)|unlock (?:this|the|full|unlimited)"
    r"|weiterlesen mit|jetzt (?:abonnieren|weiterlesen|freischalten)|nur für abonnenten"
    r"|reserviert für abonn|réservée? (?:à nos|aux) abonnés|pour lire la suite"
    r"|solo para suscriptores|para seguir leyendo|per continuare a leggere|verder lezen"
    r"|alleen voor abonnees",
    re.IGNORECASE,
)
_IMPERATIVE = re.compile(
    r"\W*(?:subscri|sign|log|regist|join|continue|keep|unlock|already|to (?:continue|read|unlock)"
    r"|get"
    r"|want|jetzt|weiter|nur|lesen|pour|cet|article|la suite|solo|para|per|alleen|verder|premium"
    r"|start|become|members?|exclusive)",
    re.IGNORECASE,
)
_OTHER_OFFER = re.compile(r"comment|conversation|newsletter|e-?mail alert", re.IGNORECASE)
_MENUS = frozenset(["nav", "footer", "header", "li", "aside"])
_BELOW = 8  # paragraphs of a page below its story
_STUB = 1500  # characters: a story of more is read although a subscription is offered below it


def notice_kind(text: str) -> str | None:
    """Return what a page's text is, if it is a notice and no article.

    A notice is short, speaks to the reader or of the site outside of quotes, and does so in words
    of one kind. An article that mentions cookies or subscriptions has other sentences.
    """
    if len(text) > _LONGEST:
        return None
    sentences = [
        sentence for sentence in _SENTENCE.findall(_QUOTED.sub(" ", text)) if sentence.strip()
    ]
    total = sum(map(len, sentences))
    if not total:
        return None
    to_reader = sum(len(sentence) for sentence in sentences if _READER.search(sentence))
    if to_reader < _TO_READER * total:
        return None
    best, share = None, 0.0
    in_any: set[str] = set()
    for kind, terms in _KINDS.items():
        found = [sentence for sentence in sentences if terms.search(sentence)]
        in_any.update(found)
        distinct = {match.lower() for sentence in found for match in terms.findall(sentence)}
        here = sum(map(len, found)) / total
        if len(distinct) >= _MIN_TERMS and here > share:
            best, share = kind, here
    in_several = sum(len(sentence) for sentence in sentences if sentence in in_any) / total
    return best if share >= _IN_TERMS or in_several >= _IN_SEVERAL else None


def is_stub(story: Sequence[Block], blocks: Sequence[Block], *, free: bool) -> bool:
    """Return whether a page has the beginning of a story only, and the rest for subscribers.

    Args:
        story: the paragraphs found.
        blocks: all paragraphs of the page.
        free: False if the page itself says that it is not free to read.
    """
    characters = sum(len(block.text) for block in story)
    if characters > _STUB:
        return False
    if not free:
        return True
    if not story:
        return False
    first, last = (
        next(number for number, block in enumerate(blocks) if block is end)
        for end in (story[0], story[-1])
    )
    return any(
        _is_wall(_QUOTED.sub(" ", block.text))
        for block in blocks[first + 1 : last + 1 + _BELOW]
        if not block.card and _MENUS.isdisjoint(block.tags)
    )


def _is_wall(text: str) -> bool:
    return bool(
        _WALL.search(text)
        and (_READER.search(text) or _IMPERATIVE.match(text))
        and not _OTHER_OFFER.search(text)
    )
