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

# Others, as they were seen on the web, with what an error calls them.
MORE_NOTICES = (
    (
        "cookies",
        "<h1>Yahoo is part of the Yahoo family of brands</h1><p>When you use our sites and "
        "apps, we use cookies to: provide our sites and apps to you, authenticate users, "
        "apply security measures, and prevent spam and abuse, and measure your use of our "
        "sites and apps.</p><p>If you click 'Accept all', we and our partners, including 240 "
        "who are part of the IAB Transparency & Consent Framework, will also store and/or "
        "access information on a device (in other words, use cookies) and use precise "
        "geolocation data and other personal data such as IP address and browsing and search "
        "data, for analytics, personalised advertising and content, advertising and content "
        "measurement, and audience research and services development.</p><p>If you do not "
        "want us and our partners to use cookies and personal data for these additional "
        "purposes, click 'Reject all'.</p><p>You can withdraw your consent or change your "
        "choices at any time by clicking on the 'Privacy & cookie settings' or 'Privacy "
        "dashboard' links on our sites and apps.</p>",
    ),
    (
        "cookies",
        "<h1>Before you continue to Google</h1><p>We use cookies and data to Deliver and "
        "maintain Google services. Track outages and protect against spam, fraud, and abuse. "
        "Measure audience engagement and site statistics to understand how our services are "
        "used and enhance the quality of those services.</p><p>If you choose to “Accept "
        "all,” we will also use cookies and data to develop and improve new services, and to "
        "deliver and measure the effectiveness of ads.</p>",
    ),
    (
        "robots",
        "<h1>We've detected unusual activity from your computer network</h1><p>To continue, "
        "please click the box below to let us know you're not a robot.</p><h2>Why did this "
        "happen?</h2><p>Please make sure your browser supports JavaScript and cookies and "
        "that you are not blocking them from loading. For more information you can review "
        "our Terms of Service and Cookie Policy.</p><h2>Need Help?</h2><p>For inquiries "
        "related to this message please contact our support team and provide the reference "
        "ID below.</p>",
    ),
    (
        "robots",
        "<h1>Press &amp; Hold to confirm you are a human (and not a bot).</h1><p>Access to "
        "this page has been denied because we believe you are using automation tools to "
        "browse the website. This may happen as a result of the following: Javascript is "
        "disabled or blocked by an extension (ad blockers for example). Your browser does "
        "not support cookies. Please make sure that Javascript and cookies are enabled on "
        "your browser and that you are not blocking them from loading.</p>",
    ),
    (
        "robots",
        "<p>Request unsuccessful. Incapsula incident ID: 877000150109612345-0123. Please "
        "enable cookies. This website is using a security service to protect itself from "
        "online attacks. The action you just performed triggered the security solution. "
        "There are several actions that could trigger this block including submitting a "
        "certain word or phrase, a SQL command or malformed data.</p>",
    ),
    (
        "robots",
        "<h1>Sorry, you have been blocked</h1><p>You are unable to access news.org. Why have "
        "I been blocked? This website is using a security service to protect itself from "
        "online attacks. The action you just performed triggered the security solution. What "
        "can I do to resolve this? You can email the site owner to let them know you were "
        "blocked. Please include what you were doing when this page came up and the "
        "Cloudflare Ray ID found at the bottom of this page.</p>",
    ),
    (
        "error page",
        "<h1>Gone</h1><p>The story you requested has been removed from our archive at the "
        "request of a person named in it. It is our policy to review such requests one by "
        "one. We apologise for any inconvenience this may cause you. Use the search to find "
        "other stories.</p>",
    ),
    (
        "error page",
        "<h1>Whoops! That page is missing</h1><p>The URL you entered doesn't match anything "
        "on our site. Maybe the story was taken down, or the web address has a typo in it. "
        "Head back to our homepage to catch up on the top stories of the day, or email our "
        "help desk if you keep landing here.</p>",
    ),
    (
        "error page",
        "<h1>Fehler 404</h1><p>Die von Ihnen aufgerufene Seite existiert leider nicht oder "
        "wurde verschoben. Bitte überprüfen Sie die Adresse oder benutzen Sie unsere Suche. "
        "Vielleicht finden Sie den gesuchten Artikel auch auf unserer Startseite. Wir bitten "
        "um Entschuldigung für die Umstände.</p>",
    ),
    (
        "error page",
        "<h1>Page introuvable</h1><p>La page que vous recherchez n'existe pas ou a été "
        "déplacée. Vérifiez l'adresse que vous avez saisie, ou utilisez notre moteur de "
        "recherche. Vous pouvez aussi retourner à la page d'accueil pour retrouver toute "
        "l'actualité du jour. Nous vous prions de nous excuser.</p>",
    ),
    (
        "error page",
        "<h1>Página no encontrada</h1><p>Lo sentimos, la página que busca no existe o ha "
        "sido movida. Compruebe que la dirección esté bien escrita o utilice nuestro "
        "buscador. También puede volver a la portada para leer las últimas noticias del día. "
        "Gracias por su paciencia con nosotros y disculpe las molestias.</p>",
    ),
    (
        "ad blocker",
        "<h2>Hey there! We see you're blocking ads</h2><p>Without advertising income, we "
        "can't keep making this site awesome for you. To keep reading, please turn off your "
        "blocker for this page or join us as a member. Once you are done, simply hit "
        "refresh. We promise no pop-ups or autoplay videos will spoil your visit.</p>",
    ),
    (
        "ad blocker",
        "<h1>Adblocker aktiv</h1><p>Sie haben einen Adblocker aktiviert. Unser Angebot "
        "finanziert sich durch Werbung. Bitte deaktivieren Sie Ihren Adblocker für unsere "
        "Seite, damit Sie den Artikel lesen können. Oder lesen Sie uns ohne Werbung im Abo. "
        "So geht es: Klicken Sie auf das Symbol Ihres Adblockers.</p>",
    ),
    (
        "subscribers",
        "<article><h1>Ferry</h1><p>The Ashford ferry will return to service on 3 May, the "
        "harbour board said on Tuesday after a long winter, and more.</p><p>The vessel was "
        "withdrawn in January after cracks were found in its hull.</p><div "
        "class=gate><h3>This is a premium story</h3><p>Get full access with a digital pass "
        "from £1 a week.</p></div></article>",
    ),
    (
        "subscribers",
        "<article><h1>Ferry</h1><p>The Ashford ferry will return to service on 3 May, the "
        "harbour board said on Tuesday after a long winter, and more.</p><p>The vessel was "
        "withdrawn in January after cracks were found in its hull.</p></article><div><p>Want "
        "to read more? Subscribe today and get access to all our journalism.</p></div>",
    ),
    (
        "subscribers",
        "<article><h1>Ferry</h1><p>The Ashford ferry will return to service on 3 May, the "
        "harbour board said on Tuesday after a long winter, and more.</p><p>The vessel was "
        "withdrawn in January after cracks ...</p><p>You have 83% of this article left to "
        "read.</p></article>",
    ),
    (
        "subscribers",
        "<article><h1>Ferry</h1><p>Die Fähre nach Ashford fährt ab dem 3. Mai wieder, wie "
        "der Hafenrat am Dienstag nach einem langen Winter mitteilte, und mehr "
        "dazu.</p><p>Das Schiff war im Januar aus dem Verkehr gezogen worden.</p><p>Dieser "
        "Artikel ist Abonnenten vorbehalten. Testen Sie unser Angebot vier Wochen "
        "kostenlos.</p></article>",
    ),
    (
        "subscribers",
        "<article><h1>Ferry</h1><p>Le ferry d'Ashford reprendra son service le 3 mai, a "
        "annoncé mardi le conseil du port après un long hiver de réparations et de "
        "retards.</p><p>Le navire avait été retiré en janvier.</p></article><section><p>Il "
        "vous reste 75 % de cet article à lire. La suite est réservée aux "
        "abonnés.</p></section>",
    ),
    (
        "JavaScript",
        "<noscript><p>You need to enable JavaScript to run this app. This site works best "
        "with a modern browser. Please turn on JavaScript in the settings of your browser "
        "and reload the page, or use another browser such as Firefox or Chrome. Our help "
        "pages tell you how you do it on your device.</p></noscript>",
    ),
    (
        "notice|error",
        "<h1>We'll be right back</h1><p>We are currently carrying out scheduled maintenance "
        "to improve our site for you. We expect to be back online shortly. Thank you for "
        "your patience, and please check back in a few minutes. Follow us on social media "
        "for breaking news in the meantime.</p>",
    ),
    (
        "country",
        "<h1>451: Unavailable due to legal reasons</h1><p>We recognize you are attempting to "
        "access this website from a country belonging to the European Economic Area (EEA) "
        "including the EU which enforces the General Data Protection Regulation (GDPR) and "
        "therefore access cannot be granted at this time. For any issues, contact us or "
        "call.</p>",
    ),
    (
        "",
        "<h1>Please confirm your age</h1><p>You must be at least 18 years old to view this "
        "content. By clicking on “I am over 18” you confirm that you are of legal age and "
        "that you accept our terms of use and our cookie policy. If you are not, please "
        "leave this site now. We may ask you again on your next visit.</p>",
    ),
    (
        "sign-in",
        "<h1>Log into Facebook to continue</h1><p>You must log in to continue. Log in to "
        "your account to see this post, or create a new account if you do not have one yet. "
        "The link you followed may only be visible to an audience you are not in, or the "
        "page may have been removed by its owner.</p>",
    ),
    (
        "robots|error",
        "<h1>Too many requests</h1><p>You have sent too many requests in a given amount of "
        "time. Please wait a few minutes and then try again. If you see this page often, "
        "contact our support and tell us your IP address. Automated access to this site is "
        "not permitted under our terms of service.</p>",
    ),
    (
        "subscription",
        "<p>You’ve reached your monthly article limit. Thank you for reading! Subscribe "
        "today for as little as 99 cents to enjoy unlimited access to local news that "
        "matters to you. If you are a print subscriber, your subscription includes digital "
        "access: activate your account here to get started.</p>",
    ),
)

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
    "advice2": (
        "If your email account is hacked, act quickly. Change your password on another "
        "device and log out of all sessions. Check whether your address has been used to "
        "send spam.",
        "Banks advise customers to call them at once if the account was linked to online "
        "banking. Do not click on links in messages that claim to help.",
        "The police registered 4,000 such cases last year, twice as many as in 2021.",
    ),
    "advice3": (
        "You do not need a new phone to get a new battery. Most shops in Osdon replace it "
        "within an hour, our test of eleven of them shows.",
        "You pay between 40 and 90 pounds. Ask for the price first: two shops charged us for "
        "the look alone.",
        "The oldest phone we brought, from 2015, came back with a battery that was older "
        "than itself.",
    ),
    "column": (
        "We have all done it. You open the fridge at night, you look in, and you close it "
        "again. Our grandmothers had no such light to stand in.",
        "You may say that this is no matter for a newspaper. But we waste, the ministry "
        "says, a third of what we buy, and your fridge knows why.",
        "Please, open it tomorrow at noon, and look again.",
    ),
    "launch": (
        "The city of Osdon put its new website online on Monday. Residents can register "
        "their address, pay parking tickets and search the archive of the council without an "
        "appointment.",
        "Access to the pages needs an account, which the city verifies by letter within "
        "three days.",
        "The old site will be switched off in June, the mayor said. It had been blocked by "
        "hackers twice this year.",
    ),
    "outage": (
        "The websites of three newspapers could not be reached for six hours on Tuesday "
        "after an error at a service that protects them from attacks.",
        "Readers saw a page that asked them to check their browser, or the number 502.",
        "The company said that a change of its settings had blocked all requests. It "
        "apologised for the inconvenience.",
    ),
    "law": (
        "You will soon be able to refuse all cookies with a single click, under a law that "
        "parliament passed on Thursday.",
        "Sites must show the button as large as the one for consent, and they may not ask "
        "you again for a year.",
        "Publishers had warned that the rule would cost them a fifth of what advertising "
        "brings in. The law applies from January.",
    ),
    "subs": (
        "Netflix will raise the price of a subscription with ads to 8 pounds a month in "
        "June, the company said on Tuesday.",
        "If you share an account with another household, you pay 5 pounds more.",
        "The service won nine million subscribers in the last three months, more than "
        "analysts had expected.",
    ),
    "members": (
        "Members of the Ashford chess club can unlock its archive from Monday. They need to "
        "register with their number to read the 4,000 games.",
        "The club was founded in 1902.",
        "Its chair said that young players wanted to see how their grandfathers had lost.",
    ),
    "letter": (
        "Dear readers, this is the last article that I write for you. For thirty years I "
        "have told you what happened in our courts.",
        "I saw murderers who wept and judges who did not. I saw your neighbours, and once, "
        "in a case about a fence, my own father.",
        "Thank you for reading, and for your letters, even for those with no stamp.",
    ),
    "scam": (
        "If you get a message that your parcel could not be delivered, do not click on the "
        "link. Police in Osdon warn of a fraud that has cost 300 people their savings.",
        "The page looks like that of the post and asks for your account and your address.",
        "“We never send links,” a spokeswoman for the post said. Whoever has entered data "
        "should call the bank.",
    ),
    "german": (
        "Die Fähre nach Ashford fährt ab Mai wieder, teilte der Hafenrat am Dienstag mit. "
        "Ihre Reparatur kostete 1,4 Millionen Euro.",
        "Sie war im Januar aus dem Verkehr gezogen worden. Ihr Rumpf hatte Risse.",
        "Wer ein Abo hat, bekommt die Hälfte des Preises zurück, wie die Reederei auf ihrer "
        "Seite schreibt.",
    ),
    "data in Spanish": (
        "Los datos de nueve mil clientes quedaron al descubierto en la página de la empresa, que "
        "cerró sus cuentas el lunes.",
        "Su directora dijo que nadie puede leer las contraseñas, y que su equipo avisó a la "
        "agencia.",
        "La agencia abrió una investigación; la empresa puede recibir una multa de un millón.",
    ),
    "data in German": (
        "Die Daten von neuntausend Kunden standen am Montag offen auf der Seite eines Händlers, "
        "wie "
        "die Behörde mitteilte.",
        "Sie hat ein Verfahren eröffnet. Ihre Prüfer fanden Adressen, Konten und Artikel.",
        "Der Händler sperrte die Konten, ohne seine Kunden zu fragen; eine Zustimmung fehlte ihm.",
    ),
    "spanish": (
        "El ferry de Ashford volverá a prestar servicio el 3 de mayo, dijo el martes la "
        "junta del puerto. Su reparación costó 1,4 millones.",
        "El barco fue retirado en enero por grietas en su casco. Sus dueños pidieron datos a "
        "la página del puerto.",
        "El consejo revisará el horario en otoño.",
    ),
    "french": (
        "Le ferry d'Ashford reprendra son service le 3 mai, a annoncé mardi le conseil du "
        "port. Les abonnés seront remboursés.",
        "Le navire avait été retiré en janvier. « Nous savons combien l'hiver a été dur pour "
        "vous », a dit la présidente aux habitants.",
        "Le conseil réexaminera les horaires à l'automne, sur la page de la ville.",
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
    for kind, html in MORE_NOTICES:
        yield kind, f"<html><head><title>{story.headline}</title></head><body>{html}</body>"
