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
        r"|unusual (?:traffic|activity)|javascript|security (?:check|service|solution)"
        r"|incident id|cloudflare|ray id|access (?:denied|(?:to )?this (?:page|site))|blocked"
        r"|ddos|permission|contact us|redirected (?:automatically|shortly)|opens by itself"
        r"|(?:one|just a) moment"
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
        r"|n['’]existe pas|existiert (?:leider )?nicht|no existe|página no encontrada"
    ),
    "an offer of a subscription or a sign-in": (
        r"subscri(?:be|ption|ber)|sign(?:ed)? ?(?:in|up)|log ?(?:in|ged)|regist(?:er|ration)"
        r"|account|trial|(?:continue|keep) reading|unlock|free articles?|members? only|premium"
        r"|cancel any ?time|(?:a|per) month|unlimited|abonn|suscr[ií]|registrier|anmelden"
    ),
}
_KINDS = {kind: re.compile(terms, re.IGNORECASE) for kind, terms in _TERMS.items()}
_READER = re.compile(
    r"\b(?:you|your|yours|please|sorry|we|our|us|oops|request unsuccessful|this block"
    r"|this (?:site|page|website|article|content)|wir|unsere?[mnrs]?|bitte"
    r"|diese[rs]? (?:seite|artikel|inhalt)|vous|votre|vos|nous|notre|cet article|usted|puede"
    r"|nuestr\w+|lo sentimos|uw|wij|onze|deze pagina)\b"
    r"|(?<=[\w,;:] )(?-i:Sie|Ihnen|Ihre?[mnrs]?)\b"  # elsewhere it may be she or they
    r"|^\W*(?:click|check|try|use|go|head|reload|refresh|enable|disable|turn|switch|select|choose"
    r"|visit|return|log|sign|subscribe|press|vérifiez|utilisez|compruebe|utilice|klicken)\b",
    re.IGNORECASE,
)
# Whose page it is: notices speak for the site, advice to readers does not.
_SITE = re.compile(
    r"\b(?:we|our|us|this|please|sorry|continue|wir|unsere?[mnrs]?|bitte|nous|notre|lo sentimos"
    r"|nuestr\w+|wij|onze)\b|\b(?:unable to access|you requested|access denied|thank you"
    r"|subscribe (?:now|today)|article limit|puede|try again)\b",
    re.IGNORECASE,
)
# Words about pages and their use, which are rare in news.
_WEB = re.compile(
    r"\b(?:(?:web|home|front|landing )?(?:page|site)s?|website|web address|browser|urls?|links?"
    r"|address|search|click\w*|cookies?|device|account|log(?:ged)? ?in(?:to)?"
    r"|sign(?:ed)? ?(?:in|up)|subscri\w+"
    r"|articles?|content|access\w*|archive|support|terms|policy|javascript|ads?"
    r"|advert\w+|\w*block(?:er|ed|ing)|requests?|requested|ip|unlimited|trial|refresh|reload|menu"
    r"|settings|privacy|consent|partners|services?|incident|security|maintenance|online|offline"
    r"|back (?:soon|shortly)|check back|patience|try again|few (?:minutes|seconds)|went wrong"
    r"|not found|visitors|country|region|economic area|gdpr|legal|apps?|data|visit|robot|human"
    r"|captcha|verif\w+|inconvenience|help desk"
    r"|seiten?|startseite|adresse|suche|werbung|angebot|artikel|abo|cookies|gerät|zustimmung"
    r"|einwilligung|datenschutz|klicken|konto|anmeld\w+|adblocker\w*|partner|ablehnen"
    r"|page d['’]accueil|adresse|moteur de recherche|abonn\w+|compte|données|publicités?|appareil"
    r"|consentement|confidentialité|partenaires|página|portada|dirección|buscador|suscri\w+|cuenta"
    r"|datos|anuncios|pagina|toestemming|zoeken|inloggen)\b|\b(?:40[134]|410|429|451|50[023])\b",
    re.IGNORECASE,
)
_QUOTED = re.compile(r"“[^”]*”|\"[^\"]*\"|«[^»]*»|„[^“”]*[“”]|‘[^’]*’(?!\w)")
_SENTENCE = re.compile(r"[^.!?…]+[.!?…]*")
_LONGEST = 2500  # characters of a notice
# Shares of a text: sentences that speak to the reader; that do so about pages and their use.
_TO_READER, _ABOUT_PAGES = 0.55, 0.45
_MIN_WORDS = 3  # different ones about pages

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
# An offer to read on: what for, and on which condition.
_READING = re.compile(
    r"\b(?:read|reading|access|unlock|article|story|left to|remaining|artikel|lesen"
    r"|weiterlesen|article|lire|suite|artículo|leer|leyendo|artikel|lezen)\b",
    re.IGNORECASE,
)
_CONDITION = re.compile(
    r"subscri|premium|\bpass\b|member|trial|sign ?(?:in|up)|log ?in|regist|account|\d ?% of this"
    r"|\b(?:a|per) (?:week|month)|abonn|vorbehalten|\bplus\b|suscri|anmeld|réservée?",
    re.IGNORECASE,
)
_IMPERATIVE = re.compile(
    r"\W*(?:subscribe|sign|log ?in|register|continue reading|keep reading|unlock|already a"
    r"|to (?:continue|read|unlock)|get (?:full|unlimited|access)|want to|become"
    r"|this (?:is a|article|story)"
    r"|jetzt|weiterlesen|nur für|diese[rs] artikel|pour lire|cet article|article réservé"
    r"|il vous reste|la suite|para seguir|solo para|per continuare|alleen voor|verder lezen"
    r"|exclusive|only for|for subscribers)\b",
    re.IGNORECASE,
)
_OTHER_OFFER = re.compile(r"comment|conversation|newsletter|e-?mail alert", re.IGNORECASE)
_MENUS = frozenset(["nav", "footer", "header", "li", "aside"])
_BELOW = 8  # paragraphs of a page below its story
_STUB = 1500  # characters: a story of more is read although a subscription is offered below it


def notice_kind(text: str) -> str | None:
    """Return what a page's text is, if it is a notice and no article.

    A notice is short and tells the reader something about the site or the use of it, outside of
    quotes. An article that mentions cookies or subscriptions has other sentences too.
    """
    if len(text) > _LONGEST:
        return None
    sentences = [
        sentence for sentence in _SENTENCE.findall(_QUOTED.sub(" ", text)) if sentence.strip()
    ]
    total = sum(map(len, sentences))
    if not total:
        return None
    to_reader = [sentence for sentence in sentences if _READER.search(sentence)]
    about_pages = [sentence for sentence in to_reader if _WEB.search(sentence)]
    words = {match.lower() for match in _WEB.findall(text)}
    if (
        sum(map(len, to_reader)) < _TO_READER * total
        or sum(map(len, about_pages)) < _ABOUT_PAGES * total
        or len(words) < _MIN_WORDS
        or not _SITE.search(" ".join(to_reader))
    ):
        return None
    counts = {kind: len(set(terms.findall(text.lower()))) for kind, terms in _KINDS.items()}
    kind = max(counts, key=lambda kind: counts[kind])
    return kind if counts[kind] else "a notice to readers"


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
        (_WALL.search(text) or (_READING.search(text) and _CONDITION.search(text)))
        and (_READER.search(text) or _IMPERATIVE.match(text))
        and not _OTHER_OFFER.search(text)
    )
