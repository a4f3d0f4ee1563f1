"""Pages of news sites in many shapes: what is the story, and what surrounds it.

`compare_extractors.py` compares extractors on them.
"""

import json
import random
from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

from serving.fetch.blocks import comparable


class Story(NamedTuple):
    headline: str
    paragraphs: tuple[str, ...]


STORIES = (
    Story(
        "Ashford ferry returns to service",
        (
            "The Ashford ferry will return to service on 3 May, the harbour board said on Tuesday "
            "after a long winter.",
            "The vessel was withdrawn in January after cracks were found in its hull, and repairs "
            "cost 1.4 million pounds.",
            "“We know how hard the winter was for the islanders,” said Maren Holt, who chairs the "
            "board.",
            "Islanders had to make do with a small boat that could take neither cars nor more than "
            "twelve passengers at once.",
            "It will sail six times a day.",
            "The council will look at the timetable again in autumn, and it will publish what it "
            "finds before the new year.",
        ),
    ),
    Story(
        "Court stops plan for mine near Osdon",
        (
            "A court in Osdon stopped the plan for a copper mine on Friday because the company had "
            "not measured how much water it would take from the valley.",
            "Judge Petra Lind wrote that the permit of 2021 “rests on figures that nobody can "
            "check”.",
            "She gave Calder Metals six months to repeat the measurements.",
            "The company's shares fell by 11 percent within an hour, and trade in them was halted.",
            "Farmers in the valley, who had sued, spoke of a late but clear victory. “Our wells "
            "were "
            "dry by June,” said one of them, Jon Aas, who keeps 90 sheep above the village.",
            "Calder Metals declined to comment.",
        ),
    ),
    Story(
        "Study finds fewer swifts over cities",
        (
            "The number of swifts over 40 European cities has fallen by a third since 2005, "
            "according to a study that was published on Monday.",
            "Researchers from four universities counted nests in old walls, towers and under "
            "roofs, "
            "and compared them with lists that volunteers have kept for decades.",
            "Renovation is the main reason: new facades leave no gaps for nests.",
            "Insects have become rarer too.",
            "In Delmen, where the law requires nest boxes on every new school, the birds "
            "increased.",
            "The authors recommend that other cities copy the rule, which costs about 50 euros for "
            "each building, and that roofs be repaired in winter only.",
        ),
    ),
)

MENU = (
    '<header class="site-header"><a href="/">The Ashford Post</a><p>Independent news since '
    "1888.</p>"
    "<nav><ul><li><a href=/uk>UK</a></li><li><a href=/world>World</a></li>"
    "<li><a href=/sport>Sport and leisure in the region</a></li></ul></nav></header>"
)
RELATED = "".join(
    f'<div class="card"><h3><a href="/{n}">{headline}</a></h3><p>{teaser}</p></div>'
    for n, (headline, teaser) in enumerate(
        (
            ("Bridge over the Wend closes in May", "Drivers have to take the long way by Holm."),
            ("Mayor resigns over parking row", "She had parked in front of a fire station twice."),
            ("Orchestra plays in the old harbour", "A thousand people came, in spite of the rain."),
            ("Bakery wins prize for rye bread", "The recipe has been in the family since 1921."),
        )
    )
)
BELOW = (
    '<div class="newsletter-signup"><h4>Our newsletter</h4><p>Get the best stories in your inbox '
    "every morning. It takes two minutes to read.</p><input><button>Sign up</button></div>"
    f'<section class="related"><h2>More stories</h2>{RELATED}</section>'
    '<section id="comments"><h2>2 comments</h2><div class="comment"><p>First! I love this ferry '
    "and "
    "I took it twice a week when I was a child.</p></div><div class=comment><p>Nobody asked the "
    "people in the villages, as usual, and we pay for it.</p></div></section>"
    "<footer><p>© 2024 The Ashford Post. All rights reserved. No part may be copied without our "
    "written consent.</p><ul><li><a href=/terms>Terms</a></li></ul></footer>"
)
CONSENT = (
    '<div id="cookie-banner"><p>We use cookies to improve your experience on our site. By '
    "continuing you accept our policy.</p><button>Accept</button></div>"
)
COMMENT = "I love this ferry, and so do all of my neighbors who came here for the boats."
BYLINE = '<p class="byline">By Jane Quill, Transport correspondent</p><time>3 May 2024</time>'
FIGURE = "<figure><img src=a.jpg><figcaption>The harbour in winter. Photo: PA</figcaption></figure>"
ADVERT = (
    '<div class="ad"><span>Advertisement</span><p>Buy the new Calder X9 today, from only 299 '
    "pounds a month, and drive off.</p></div>"
)
BOILERPLATE = (
    "Independent news since 1888",
    "Sport and leisure in the region",
    "Jane Quill, Transport",
    "Photo: PA",
    "Buy the new Calder X9",
    "Drivers have to take the long way",
    "Mayor resigns over parking row",
    "A thousand people came",
    "The recipe has been in the family",
    "Get the best stories in your inbox",
    "I love this ferry",
    "Nobody asked the people in the villages",
    "All rights reserved",
    "We use cookies to improve",
)


class Page(NamedTuple):
    html: str
    paragraphs: tuple[str, ...]


def paragraphs_of(parts: Sequence[str], tag: str = "p") -> str:
    """Return paragraphs as elements."""
    end = tag.split(maxsplit=1)[0]
    return "".join(f"<{tag}>{part}</{end}>" for part in parts)


# --- shapes: the part of a page that holds headline and story ---------------------------------

Shape = Callable[[Story], str]
SHAPES: dict[str, Shape] = {}


def _shape(template: str) -> Shape:
    """Return a shape of a template with {h}eadline, paragraphs {0}… and the {rest} from {2} on."""

    def build(story: Story) -> str:
        values = {str(n): part for n, part in enumerate(story.paragraphs)}
        return (
            template.replace("{h}", story.headline)
            .replace("{rest}", paragraphs_of(story.paragraphs[2:]))
            .replace("{rest1}", paragraphs_of(story.paragraphs[1:]))
            .replace("{all}", paragraphs_of(story.paragraphs))
            .replace("{0}", values["0"])
            .replace("{1}", values["1"])
            .replace("{extras}", BYLINE + FIGURE)
            .replace("{ad}", ADVERT)
        )

    return build


SHAPES |= {
    name: _shape(template)
    for name, template in {
        "plain": "<article><h1>{h}</h1>{extras}{all}</article>",
        "advert inside": "<article><h1>{h}</h1>{extras}<p>{0}</p>{ad}{rest1}</article>",
        # the lead in an unusual place
        "teaser div": "<article><h1>{h}</h1><div class='teaser-content'><p>{0}</p><p>{1}</p></div>"
        "<div class='remainder-content'>{rest}</div></article>",
        "teaser paragraph": "<article><h1>{h}</h1><p class='article-teaser'>{0}</p>"
        "<div class=body>{rest1}</div></article>",
        "lead in header": "<article><header><h1>{h}</h1><p class=lede>{0}</p></header>{extras}"
        "<div>{rest1}</div></article>",
        "lead in h2": "<article><h1>{h}</h1>{extras}<h2>{0}</h2>{rest1}</article>",
        "lead in h3 with class": "<article><h1>{h}</h1><h3 class=standfirst><b>{0}</b></h3>{rest1}"
        "</article>",
        "lead outside of article": "<div class=top><h1>{h}</h1><p class=intro>{0}</p></div>{extras}"
        "<article>{rest1}</article>",
        "lead in summary div": "<main><h1>{h}</h1><div class='article__summary'>{0}</div>"
        "<div class='article__body'>{rest1}</div></main>",
        "lead in strong": "<article><h1>{h}</h1><strong>{0}</strong>{rest1}</article>",
        "lead in section promo": "<article><h1>{h}</h1><section "
        "class=promo-lead><p>{0}</p></section>"
        "{rest1}</article>",
        "lead in aside": "<div class=wrap><h1>{h}</h1><div class=hero><div class=hero-text><p>{0}"
        "</p></div></div><div class=cols><div class=col1>{rest1}</div></div></div>",
        "lead in blockquote": "<article><h1>{h}</h1><blockquote>{0}</blockquote>{rest1}</article>",
        "lead in list": "<article><h1>{h}</h1><ul class=summary><li>{0}</li><li>{1}</li></ul>{rest}"
        "</article>",
        "lead in figure row": "<article><h1>{h}</h1><div "
        "class=media-row>{extras}<div>{0}</div></div>"
        "{rest1}</article>",
        "lead as bare text": "<article><h1>{h}</h1>{0}{rest1}</article>",
        # paragraphs in other elements
        "div between p": "<article><h1>{h}</h1><p>{0}</p><div>{1}</div>{rest}</article>",
        "div with class between p": "<article><h1>{h}</h1><p>{0}</p><div class=text-block><div>{1}"
        "</div></div>{rest}</article>",
        "span paragraphs": "<article><h1>{h}</h1><div><span>{0}</span></div><div><span>{1}</span>"
        "</div>{rest}</article>",
        "custom elements": "<article><h1>{h}</h1><x-text>{0}</x-text><x-text>{1}</x-text>{rest}"
        "</article>",
        "sections": "<main><h1>{h}</h1><section><p>{0}</p></section><section><p>{1}</p></section>"
        "<section>{rest}</section></main>",
        "pre between": "<article><h1>{h}</h1><p>{0}</p><pre>{1}</pre>{rest}</article>",
        "details": "<article><h1>{h}</h1><p>{0}</p><p>{1}</p><details><summary>More</summary>{rest}"
        "</details></article>",
        "hidden remainder": "<article><h1>{h}</h1><p>{0}</p><p>{1}</p><div class=more "
        "style='display:none'>{rest}</div></article>",
        "read-more button": "<article><h1>{h}</h1><p>{0}</p><p>{1}</p><button>Read on</button>"
        "<div class=read-more-content>{rest}</div></article>",
        "links in text": "<article><h1>{h}</h1><p><a href=/t>{0}</a> (Agency)</p><p>{1}</p>{rest}"
        "</article>",
        "definition list": "<article><h1>{h}</h1><dl><dt>What happened</dt><dd>{0}</dd><dt>Why</dt>"
        "<dd>{1}</dd></dl>{rest}</article>",
        # containers that extractors take for something else
        "sidebar wrapper": "<div class='layout has-sidebar no-comments'><div "
        "class='content-sidebar'>"
        "<h1>{h}</h1>{all}</div></div>",
        "form around the page": "<form id=aspnetForm><div class=x1><h1>{h}</h1><div class=x2>{all}"
        "</div></div></form>",
        "share wrapper": "<div class='share-wrapper'><h1>{h}</h1>{extras}{all}</div>",
        "elementor": "<div class=elementor><h1>{h}</h1><div class=elementor-widget-container><p>{0}"
        "</p></div><div class=elementor-widget-container><p>{1}</p></div>"
        "<div class=elementor-widget-container>{rest}</div></div>",
        "paywall class": "<article><h1>{h}</h1><p>{0}</p><div class='paywall subscriber-content'>"
        "{rest1}</div></article>",
        "two columns": "<h1>{h}</h1><div class=row><div class=col-a><p>{0}</p><p>{1}</p></div>"
        "<div class=col-b>{rest}</div></div>",
        "no headline": "<div class=story>{all}</div>",
        "headline below a label": "<h1>The Ashford Post</h1><article><h2>{h}</h2>{all}</article>",
        "aside in the middle": "<article><h1>{h}</h1><p>{0}</p><aside "
        "class=related><h3>Related</h3>"
        "<ul><li><a href=/1>Bridge over the Wend closes in May</a></li></ul></aside>{rest1}"
        "</article>",
        "name of a state": "<h1>{h}</h1><div class='story comments-enabled'>{all}</div>",
        "wrapper with a menu's name": "<h1>{h}</h1><div class='nav-tabs-content'>{all}</div>",
        "lead in an aside": "<article><h1>{h}</h1><aside "
        "class=lead><p>{0}</p></aside>{rest1}</article>",
        "lead in a second h1": "<article><h1>{h}</h1><h1>{0}</h1>{rest1}</article>",
        "halves with a heading": "<div><h1>{h}</h1><div class=a>{extras}<p>{0}</p><p>{1}</p></div>"
        "<div class=b><h2>A long winter</h2>{rest}</div></div>",
        "advert as a custom element": "<article><h1>{h}</h1><p>{0}</p><amp-ad><p>Buy the new "
        "Calder "
        "X9 today, from only 299 pounds.</p></amp-ad>{rest1}</article>",
        # text beside pictures
        "lead in a figure": "<article><h1>{h}</h1><figure class=hero><img src=a.jpg><div "
        "class=text><p>{0}</p></div></figure>{rest1}</article>",
        "lead in a caption without a picture": "<article><h1>{h}</h1>{extras}<figure class=intro>"
        "<figcaption>{0}</figcaption></figure>{rest1}</article>",
        "quotation in a figure": "<article><h1>{h}</h1><p>{0}</p><figure class=wp-block-pullquote>"
        "<blockquote><p>{1}</p></blockquote></figure>{rest}</article>",
        "lead in a div that is called caption": "<article><h1>{h}</h1><div class='media-caption "
        "lead'>{0}</div>{rest1}</article>",
        "lead above the headline": "<article><div class=dek>{0}</div><h1>{h}</h1>{rest1}</article>",
        "date line before bare text": "<article><h1>{h}</h1><time>3 May 2024</time>{0}{rest1}"
        "</article>",
        "headline group": "<article><hgroup><h1>{h}</h1><p>{0}</p></hgroup>{rest1}</article>",
        "lead in a summary": "<article><h1>{h}</h1><details open><summary>{0}</summary><p>{1}</p>"
        "</details>{rest}</article>",
        "headline beside a menu": "<header><nav><a href=/>Home</a></nav><h1>{h}</h1><p>{0}</p>"
        "</header><div class=b>{rest1}</div>",
        "newsletter post": "<article class=newsletter-post><h1 class=post-title>{h}</h1><div "
        "class=available-content><div class='body markup'>{all}</div></div></article>",
        "modal": "<div class='modal article-modal'><h1>{h}</h1>{all}</div>",
        "dialog": "<dialog open class=reader><h1>{h}</h1>{all}</dialog>",
        "office markup": "<h1>{h}</h1><p class=MsoNormal><span lang=EN-GB>{0}<o:p></o:p></span></p>"
        "<p class=MsoNormal><span lang=EN-GB>{1}<o:p></o:p></span></p>{rest}",
        # tables for layout
        "layout table": "<table width=100%><tr><td width=150><a href=/a>Home</a><br><a href=/b>News"
        "</a></td><td><h1>{h}</h1>{all}</td></tr></table>",
        "layout cells": "<table><tr><td><h1>{h}</h1></td></tr><tr><td>{0}</td></tr><tr><td>{1}</td>"
        "</tr><tr><td>{rest}</td></tr></table>",
        "nested tables": "<table><tr><td><table><tr><td><font "
        "size=4><b>{h}</b></font></td></tr><tr>"
        "<td><font>{0}<br><br>{1}</font>{rest}</td></tr></table></td></tr></table>",
        # broken markup
        "unclosed p": "<article><h1>{h}</h1><p>{0}<p>{1}{rest}</article>",
        "unclosed bold": "<article><h1>{h}</h1><p><b>{0}</p><p><b>{1}</p>{rest}</article>",
        "p in span": "<article><h1>{h}</h1><span><p>{0}</p><em><p>{1}</p></span>{rest}</article>",
        "stray end tags": "<article><h1>{h}</h1></div></p><p>{0}</p></section></div><p>{1}</p></td>"
        "{rest}</article>",
        "nul bytes": "<article><h1>{h}</h1>\0<p>{0}</p>\0<p>{1}\0</p>{rest}</article>",
        "article never closed": "<article><h1>{h}</h1><p>{0}</p><p>{1}</p>{rest}",
    }.items()
}


def _as_breaks(story: Story) -> str:
    return f"<div class=story><h1>{story.headline}</h1>{'<br><br>'.join(story.paragraphs)}</div>"


def _as_divs(story: Story) -> str:
    return f"<article><h1>{story.headline}</h1>{paragraphs_of(story.paragraphs, 'div')}</article>"


def _as_spans(story: Story) -> str:
    parts = paragraphs_of(story.paragraphs, "span class=para style=display:block").replace(
        "</span>", "</span> "
    )
    return f"<div class=a1><h1>{story.headline}</h1><div class=a2>{parts}</div></div>"


def _unclosed(start: str) -> Shape:
    def build(story: Story) -> str:
        # More elements inside each other than parsers accept.
        filler = "".join(
            f"{start}Minute {n} of the debate brought no news.</p>" for n in range(120)
        )
        parts = "".join(f"{start}{part}</p>" for part in story.paragraphs)
        return f"<article><h1>{story.headline}</h1>{filler}{parts}</article>"

    return build


def _linked_data(story: Story, body: str, kind: str = "NewsArticle") -> str:
    data = {"@context": "https://schema.org", "@type": kind, "articleBody": body}
    return (
        f"<h1>{story.headline}</h1><div id=app></div>"
        f'<script type="application/ld+json">{json.dumps({"@graph": [data]})}</script>'
    )


def _state(story: Story, assignment: str) -> str:
    blocks = [{"type": "paragraph", "content": {"text": part}} for part in story.paragraphs]
    state = {
        "props": {
            "user": None,
            "menu": [{"title": "World", "url": "/world"}],
            "article": {"headline": story.headline, "blocks": blocks},
            "related": [{"title": "Bridge", "text": "Drivers have to take the long way by Holm."}],
        }
    }
    return f"<div id=__next></div>{assignment.replace('STATE', json.dumps(state))}"


def _next_stream(*rows: str, cut: int = 5000) -> str:
    """Return the scripts of Next.js's app router that stream a page, `cut` characters at a time."""
    stream = "".join(('1:"$Sreact.fragment"\n2:I[12,["9","static/a.js"],"default"]\n', *rows))
    chunks = [stream[at : at + cut] for at in range(0, len(stream), cut)]
    pushes = "".join(
        f"<script>self.__next_f.push([1,{json.dumps(part)}])</script>" for part in chunks
    )
    return f"<div id=x></div><script>(self.__next_f=self.__next_f||[]).push([0])</script>{pushes}"


def _next_elements(story: Story) -> str:
    parts = [
        ["$", "p", str(n), {"children": [part[:9], ["$", "b", None, {"children": part[9:]}]]}]
        for n, part in enumerate(story.paragraphs)
    ]
    children = [["$", "h1", None, {"children": story.headline}], parts]
    return f"5:{json.dumps(['$', 'article', None, {'className': 'x', 'children': children}])}\n"


def _next_data(story: Story) -> str:
    body = [{"type": "paragraph", "text": part} for part in story.paragraphs]
    return f"a:{json.dumps({'article': {'title': story.headline, 'body': body}})}\n"


def _next_text(story: Story) -> str:
    text = "<p>" + "</p><p>".join(story.paragraphs) + "</p>"
    return f'9:T{len(text.encode()):x},{text}b:["$","$L2",null,{{"bodyHtml":"$9"}}]\n'


def _in_attribute(tag: str, name: str, value: object) -> str:
    escaped = json.dumps(value).replace("&", "&amp;").replace("'", "&#39;")
    return f"<{tag} {name}='{escaped}'></{tag}>"


def _partly_state(story: Story) -> str:
    html = "<p>" + "</p><p>".join(story.paragraphs) + "</p>"
    state = {"page": {"id": 7, "bodyHtml": html, "other": {"bodyHtml": "<p>Terms apply here.</p>"}}}
    return (
        f"<article><h1>{story.headline}</h1>{paragraphs_of(story.paragraphs[:2])}</article>"
        f"<script>window.__STATE__ = {json.dumps(state)};</script>"
    )


def _posts(tag: str, heading: str) -> Shape:
    def build(story: Story) -> str:
        posts = "".join(
            f"<{tag}><time>10:{n:02d}</time>{heading.format(n=n)}<p>{part}</p></{tag.split(maxsplit=1)[0]}>"
            for n, part in enumerate(story.paragraphs)
        )
        return f"<main><h1>{story.headline}</h1><div class=posts>{posts}</div></main>"

    return build


SHAPES |= {
    "line breaks": _as_breaks,
    "divs": _as_divs,
    "spans": _as_spans,
    "unclosed div": _unclosed("<div class=par><p>"),
    "unclosed font": _unclosed("<p><font size=2>"),
    "unclosed list": _unclosed("<ul><li><p>"),
    "linked data": lambda story: _linked_data(story, "\n\n".join(story.paragraphs)),
    "linked data in one line": lambda story: _linked_data(story, " ".join(story.paragraphs)),
    "linked data with markup": lambda story: _linked_data(
        story,
        "".join(f"&lt;p&gt;{part}&lt;/p&gt;" for part in story.paragraphs),
        "ReportageNewsArticle",
    ),
    "linked data next to a lead": lambda story: (
        f"<p>{story.paragraphs[0]}</p>" + _linked_data(story, "\n".join(story.paragraphs))
    ),
    "next data": lambda story: _state(
        story, '<script id=__NEXT_DATA__ type="application/json">STATE</script>'
    ),
    "window state": lambda story: _state(
        story, "<script>var a = 1; window.__STATE__ = STATE; start();</script>"
    ),
    "state beside a beginning": _partly_state,
    "text in noscript": lambda story: (
        f"<div id=app></div><noscript><h1>{story.headline}</h1>"
        f"{paragraphs_of(story.paragraphs)}</noscript>"
    ),
    "text in template": lambda story: (
        "<x-page><template shadowrootmode=open>"
        f"<h1>{story.headline}</h1>{paragraphs_of(story.paragraphs)}</template></x-page>"
    ),
    "rich text state": lambda story: (
        "<div id=app></div><script>window.__APOLLO_STATE__ = "
        + json.dumps(
            {
                "Article:1": {
                    "title": story.headline,
                    "body": [
                        {"type": "p", "children": [{"text": part[:9]}, {"text": part[9:]}]}
                        for part in story.paragraphs
                    ],
                }
            }
        )
        + "</script>"
    ),
    "markup in a string": lambda story: (
        f"<div id=app></div><script>render({{ title: 'x', body: "
        f"{json.dumps(paragraphs_of(story.paragraphs))} }});</script>"
    ),
    "linked data in a character section": lambda story: (
        _linked_data(story, " ".join(story.paragraphs))
        .replace('json">', 'json">//<![CDATA[\n')
        .replace("</script>", "\n//]]></script>")
    ),
    "article body in a meta element": lambda story: (
        f'<h1>{story.headline}</h1><meta itemprop=articleBody content="'
        f'{" ".join(story.paragraphs)}">'
    ),
    "stream of elements": lambda story: _next_stream(_next_elements(story)),
    "stream of data": lambda story: _next_stream(_next_data(story)),
    "stream of text": lambda story: _next_stream(_next_text(story)),
    "stream in small chunks": lambda story: _next_stream(
        _next_text(story), _next_elements(story), cut=97
    ),
    "stream after a lead": lambda story: (
        f"<article><h1>{story.headline}</h1><p>{story.paragraphs[0]}</p></article>"
        + _next_stream(_next_data(story), cut=300)
    ),
    "data in an attribute": lambda story: _in_attribute(
        "div id=app", "data-state", {"article": {"body": [{"text": p} for p in story.paragraphs]}}
    ).replace("</div id=app>", "</div>"),
    "comments longer than the story": lambda story: _next_stream(
        _next_data(story).rstrip("}\n")
        + '}, "comments": '
        + json.dumps(
            [{"user": n, "text": f"{n} people liked this, I think. {COMMENT}"} for n in range(40)]
        )
        + "}\n"
    ),
    "island": lambda story: _in_attribute(
        "astro-island", "props", {"text": [0, {"parts": [1, [[0, p] for p in story.paragraphs]]}]}
    ),
    "JSON in single quotes": lambda story: (
        "<div id=app></div><script>window.__DATA__ = JSON.parse('"
        + json.dumps({"blocks": [{"text": part} for part in story.paragraphs]})
        .replace("\\", "\\\\")
        .replace("'", "\\'")
        .replace("<", "\\x3c")
        + "');</script>"
    ),
    "flat list of values": lambda story: (
        "<script type='application/json' id=__NUXT_DATA__>"
        + json.dumps([{"data": 1}, {"body": 2}, [3, 4, 5], *story.paragraphs])
        + "</script>"
    ),
    "pictures with captions": lambda story: (
        f"<article><h1>{story.headline}</h1>"
        + "".join(
            f"<figure><img src=a{n}.jpg><figcaption><p>{part}</p></figcaption></figure>"
            for n, part in enumerate(story.paragraphs)
        )
        + "</article>"
    ),
    "slides": lambda story: (
        f"<h1>{story.headline}</h1>"
        + "".join(
            f"<section class=slide><img src=a.jpg><div class=slide-caption>{part}</div></section>"
            for part in story.paragraphs
        )
    ),
    "live blog of articles": _posts("article class=post", ""),
    "live blog of divs": _posts("div class=live-post", "<h3>Update {n}</h3>"),
    "live blog with links": _posts(
        "li class=entry", "<h2><a href='#p{n}'>Counting goes on {n}</a></h2>"
    ),
}

DESIGNS = (
    "{menu}{consent}<main>{story}</main>{below}",
    "<div id=page><div class=c1>{menu}{story}{below}</div></div>{consent}",
    "{consent}{menu}<div class=container>{story}<div class=rail>{below}</div></div>",
)


def article_pages() -> Iterator[tuple[str, Page]]:
    """Yield a name and a page for each shape, with stories and designs in turns."""
    for number, (name, shape) in enumerate(SHAPES.items()):
        story = STORIES[number % len(STORIES)]
        design = DESIGNS[number // 2 % len(DESIGNS)]
        body = (
            design.replace("{menu}", MENU)
            .replace("{consent}", CONSENT)
            .replace("{below}", BELOW)
            .replace("{story}", shape(story))
        )
        head = f"<meta charset=utf-8><title>{story.headline} | The Ashford Post</title>"
        yield (
            name,
            Page(
                f"<!doctype html><html><head>{head}</head><body>{body}</body></html>",
                story.paragraphs,
            ),
        )


def missing(text: str, page: Page) -> list[str]:
    """Return the paragraphs of a page that a text lacks."""
    key = comparable(text)
    return [part for part in page.paragraphs if comparable(part) not in key]


def surplus(text: str) -> list[str]:
    """Return what a text holds of the pages' menus, teasers, comments and so on."""
    key = comparable(text)
    return [part for part in BOILERPLATE if comparable(part) in key]


# --- pages put together at random -----------------------------------------------------------------

WRAPPERS = (
    *("<p{c}>{t}</p>",) * 6,
    "<div{c}>{t}</div>",
    "<div{c}><p>{t}</p></div>",
    "<section><p{c}>{t}</p></section>",
    "<div><div{c}><span>{t}</span></div></div>",
    "<ul{c}><li>{t}</li></ul>",
    "<blockquote{c}><p>{t}</p></blockquote>",
    "<p><font size=2>{t}</font></p>",
    "<x-text>{t}</x-text>",
    "<table><tr><td{c}>{t}</td></tr></table>",
    "<br><br>{t}<br><br>",
    "<p{c}><strong>{t}</strong></p>",
    "<p>{t}",
    "<pre>{t}</pre>",
)
NAMES = (
    "a1 text text-block story-body article__paragraph intro teaser lead summary content paywall "
    "premium more block row module entry-content excerpt abstract description"
)
CLASSES = NAMES.split()
BETWEEN = (ADVERT, FIGURE, "<h2>A break</h2>", "<hr>", "<script>let a = 1;</script>")
AROUND = ("<article>{}</article>", "<main>{}</main>", "<div>{}</div>", "<section>{}</section>",
          "<table><tr><td>{}</td></tr></table>")  # fmt: skip


def made_up_page(draw: random.Random) -> Page:
    """Return a page of random elements and classes."""
    story = draw.choice(STORIES)
    parts = []
    for paragraph in story.paragraphs:
        given_class = draw.choice(["", f' class="{draw.choice(CLASSES)}"'])
        parts.append(draw.choice(WRAPPERS).format(c=given_class, t=paragraph))
        parts += draw.choices(BETWEEN) if draw.random() < 0.15 else []
    if draw.random() < 0.4:
        cut = draw.randrange(1, len(parts))
        halves = "".join(parts[:cut]), "".join(parts[cut:])
        parts = [f'<div class="{draw.choice(CLASSES)}">{half}</div>' for half in halves]
    head = f"<h1>{story.headline}</h1>{draw.choice(['', BYLINE])}{draw.choice(['', FIGURE])}"
    body = draw.choice(AROUND).format("".join([head, *parts]))
    for _ in range(draw.randrange(3)):
        body = f'<div class="{draw.choice(CLASSES)}">{body}</div>'
    surroundings = [draw.choice(["", part]) for part in (CONSENT, MENU, BELOW)]
    return Page("<html><body>{}{}{}{}".format(*surroundings[:2], body, surroundings[2]),
                story.paragraphs)  # fmt: skip
