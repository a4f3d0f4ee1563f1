"""Pages that are no articles, and articles about such things."""

from collections.abc import Iterator, Sequence

from tests.serving.fetch.pages import BELOW, CONSENT, MENU, STORIES, paragraphs_of

# By what an error message calls them.
NOTICES = {
    "cookies": [
        "<div class='cookie-wall modal'><p>This site and 300 companies that it works with would "
        "like "
        "to keep small files on your device and to read them again, so that they know you when you "
        "come back.</p><p>If you agree, they may also learn where you are and which device you "
        "hold. "
        "You can change your mind at any time at the foot of each page.</p><button>Accept</button>"
        "</div>",
        "<div class=wall><h2>Before you continue</h2><p>We and our 712 partners store and access "
        "information on your device, such as cookies, to show you personalised ads and to measure "
        "them.</p><p>You can accept all of this, or choose what you consent to. You can change "
        "your "
        "choice at any time in our privacy settings.</p></div>",
        "<p>We value your privacy. With your consent, we and our partners use cookies and similar "
        "technologies to store and process personal data such as your visit to this site. You may "
        "withdraw your consent or object to processing at any time by clicking on Learn more or in "
        "our Privacy Policy on this website.</p>",
        "<h1>Datenschutz</h1><p>Wir und unsere Partner benötigen Ihre Zustimmung, um Cookies auf "
        "Ihrem Gerät zu speichern. Sie können Ihre Einwilligung jederzeit widerrufen. Oder Sie "
        "lesen "
        "unsere Seite mit einem Abo ohne Werbung und ohne Cookies. Ihre Auswahl können Sie "
        "jederzeit "
        "in den Einstellungen zum Datenschutz ändern.</p>",
        "<p>Avec votre accord, nous et nos partenaires utilisons des cookies pour stocker et lire "
        "des données personnelles sur votre appareil. Vous pouvez retirer votre consentement à "
        "tout "
        "moment. Vous trouverez les détails dans notre politique de confidentialité. Sans votre "
        "consentement, nous ne pouvons pas vous montrer de vidéos.</p>",
    ],
    "ad blocker": [
        "<div id=app></div><div class=notice><h2>Please disable your ad blocker</h2><p>It looks "
        "as if "
        "you are using an ad blocker. Our reporters work hard to bring you the news, and "
        "advertising "
        "pays for what they do. Please switch it off for this site, or subscribe for only 1 euro a "
        "month.</p></div>",
        "<h1>Ad blocker detected</h1><p>We noticed that you are using an ad blocker. Ads help us "
        "to "
        "pay our journalists and to keep this site free. Please allow ads on our site: open the "
        "menu "
        "of your ad blocker and choose “Disable on this site”. Then reload the page.</p>",
        "<div id=app></div><p>Our website is made possible by displaying online advertisements to "
        "our "
        "visitors. Please consider supporting us by disabling your ad blocker or by whitelisting "
        "our "
        "site. It takes you three clicks, and you can use the site as before. Thank you!</p>",
    ],
    "robots": [
        "<h1>Checking your browser</h1><p>One moment: we make sure that you are a person and not a "
        "program. You need not do anything, the page that you asked for opens by itself in a few "
        "seconds. If it does not, switch on JavaScript and cookies in your browser, and load this "
        "page again.</p>",
        "<h1>Just a moment...</h1><p>Verifying you are human. This may take a few seconds. "
        "news.example.org needs to review the security of your connection before proceeding. "
        "Please "
        "enable JavaScript and cookies to continue. Ray ID: 8a1b2c3d4e5f. Performance and "
        "security by "
        "Cloudflare. You will be redirected automatically.</p>",
        "<h1>Are you a robot?</h1><p>Our systems have detected unusual traffic from your computer "
        "network. Please complete the captcha below to prove that you are a human and not a robot. "
        "Why did this happen? Your browser must support JavaScript and cookies and must not block "
        "them from loading.</p>",
        "<h1>Access denied</h1><p>You do not have permission to access this page. Our security "
        "service has blocked your request because it looked automated. If you believe that this "
        "is a "
        "mistake, please contact us and quote the reference below. Your browser should send "
        "cookies "
        "and run JavaScript.</p>",
    ],
    "country": [
        "<h1>Sorry</h1><p>Our European visitors are important to us. This site is currently "
        "unavailable "
        "to visitors from the European Economic Area while we work to ensure your data is "
        "protected "
        "in accordance with applicable EU laws. We thank you for your patience.</p>",
    ],
    "error page": [
        "<h1>Page not found</h1><p>Sorry, the page that you were looking for could not be found. "
        "It "
        "may have been moved or deleted, or you may have mistyped the address. Try the search "
        "above, "
        "or go back to the front page, where the latest news stands. If you think that this is a "
        "mistake of ours, write to us.</p>",
        "<h1>404</h1><p>We can’t find the page you’re looking for. The link may be broken, or the "
        "page may have been removed. Please check the address for typos, go back to our home "
        "page, or "
        "use the search above to find what you need. Sorry for the trouble that this causes "
        "you.</p>",
        "<h1>Oops!</h1><p>This article is no longer available. It has been removed or has expired, "
        "because we may keep agency stories for a year only. Please try our search or visit our "
        "home "
        "page for the latest news. If you followed a link on our site, please report it to us.</p>",
        "<h1>Something went wrong</h1><p>Sorry, this page could not be found or is temporarily not "
        "available. Please try again in a few minutes, or go back to the home page. If the problem "
        "remains, write to us and tell us which page you were looking for and which browser you "
        "use.</p>",
    ],
    "subscription|subscribers": [
        "<article><h1>{h}</h1><p>{0}</p><div class=paywall><h3>Subscribe to continue "
        "reading</h3><p>"
        "Get unlimited access for 1 euro a month. Cancel any time. Already a subscriber? Log in."
        "</p></div></article>",
        "<article><h1>{h}</h1><p>{0}</p><p>{1}</p><p>To read the full story, sign in or create a "
        "free "
        "account.</p></article>",
        "<article><h1>{h}</h1><p>{0}</p><p>This article is reserved for our "
        "subscribers.</p></article>",
        "<article><h1>{h}</h1><p>{0}</p><p>{1}</p></article><script type='application/ld+json'>"
        '{"@type": "NewsArticle", "isAccessibleForFree": "False", "articleBody": "{0} '
        '{1}"}</script>',
        "<article><h1>{h}</h1><p>{0}</p></article><div class=regwall><p>You have reached your "
        "limit of "
        "free articles. Subscribe to keep reading.</p></div>",
        "<article><h1>{h}</h1><p>{0}</p><div>Jetzt weiterlesen mit Plus: nur für Abonnenten.</div>"
        "</article>",
        "<p>You have read all of your free articles this month. Subscribe now for unlimited "
        "access to "
        "our journalism, or sign in if you already have an account with us. You can cancel your "
        "subscription at any time. The first month of your trial costs 1 pound.</p>",
    ],
    "sign-in": [
        "<h1>Log in</h1><p>You must log in to continue. Log in with your account or register a "
        "new one. "
        "It is quick and free. If you have forgotten your password, we send you a link by which "
        "you "
        "can sign in. By registering you accept our terms and our policy.</p>",
    ],
    "list of articles": [
        "<main><h1>Latest news</h1>{cards}</main>",
        "<main><h1>Sport</h1><ul>{items}</ul></main>",
        "<main><h1>Topic: ferries</h1>{articles}</main>",
    ],
}

# Real articles about such things, some of them short or in the second person.
MENTIONS = {
    "cookies in the news": (
        "The data protection authority fined the Calder group 3 million euros on Tuesday because "
        "its "
        "sites set cookies without consent.",
        "The banner offered a button “Accept all”, but no way to refuse, the authority wrote. "
        "Partners "
        "in 40 countries received the data.",
        "The company said that it would appeal. “We take the privacy of our readers seriously,” a "
        "spokeswoman said.",
    ),
    "an ad blocker in court": (
        "A court in Osdon ruled on Friday that a publisher may lock out readers who use an ad "
        "blocker.",
        "The maker of the blocker had argued that users decide what their browser shows.",
        "Advertising pays for four fifths of what the publisher spends on its newsroom, its "
        "lawyers "
        "told the court.",
    ),
    "robots": (
        "Robots that pass for people solve captchas faster than people do, researchers in Delmen "
        "report.",
        "Their program needed three seconds to prove that it was human, and no site blocked it.",
        "Cloudflare, a security service, said that it looks at traffic and no longer at puzzles.",
    ),
    "page not found": (
        "Page not found: the library of Osdon has lost a leaf of its oldest book, it said on "
        "Monday.",
        "The missing page was cut out with a knife, and the search for it goes on.",
        "It could be found in a private collection, the director believes, or it may have been "
        "destroyed long ago.",
    ),
    "subscriptions": (
        "The Ashford Post will close its website to readers without a subscription in May, its "
        "owner said.",
        "Subscribers will pay 12 pounds a month; the first month is free. Five articles can be "
        "read "
        "without an account.",
        "“You cannot give away what costs you money,” the owner told staff on Thursday. The union "
        "called the plan a mistake.",
    ),
    "advice": (
        "Cookies slow your browser down only a little, tests by the consumer council show, but "
        "they "
        "tell advertisers a great deal.",
        "Experts recommend to delete them once a month. Firefox and Safari block those of other "
        "sites "
        "by default; in Chrome, the setting is hidden three menus deep.",
        "The council looked at 60 sites. On eleven of them the banner ignored a refusal, and one, "
        "a "
        "bank, kept asking until the testers gave up.",
    ),
    "we and our": (
        "We were eleven in the boat, and none of us had seen the sea before our first night on it.",
        "Our captain, a man of few words, had told us to bring bread and rope. We brought neither.",
        "When the wind came up after midnight we held on to each other, and somebody began to "
        "sing.",
    ),
}


def mentioning_page(paragraphs: Sequence[str]) -> str:
    """Return a page with one of the articles of `MENTIONS`, among menus and teasers."""
    story = f"<main><h1>Today</h1>{paragraphs_of(paragraphs)}</main>"
    return f"<html><body>{MENU}{CONSENT}{story}{BELOW}</body></html>"


def notice_pages() -> Iterator[tuple[str, str]]:
    """Yield pages that are no articles, with what an error calls them."""
    story = STORIES[0]
    headlines = [f"Council number {n} votes on the budget" for n in range(12)]
    teaser = "The vote was close, and the mayor left the hall before it had ended."
    cards = "".join(
        f"<div class=c><h3><a href=/{n}>{text}</a></h3><p>{teaser} ({n})</p></div>"
        for n, text in enumerate(headlines)
    )
    items = "".join(
        f"<li><a href=/{n}>{text}</a><p>{teaser} ({n})</p></li>" for n, text in enumerate(headlines)
    )
    articles = "".join(
        f"<article><a href=/{n}><h2>{text}</h2></a><p>{teaser} ({n})</p></article>"
        for n, text in enumerate(headlines)
    )
    for kind, templates in NOTICES.items():
        for number, template in enumerate(templates):
            html = (
                template.replace("{h}", story.headline)
                .replace("{0}", story.paragraphs[0])
                .replace("{1}", story.paragraphs[1])
                .replace("{cards}", cards)
                .replace("{items}", items)
                .replace("{articles}", articles)
            )
            menu = MENU if number % 2 else ""
            yield (
                kind,
                f"<html><head><title>{story.headline}</title></head><body>{menu}{html}</body>",
            )
