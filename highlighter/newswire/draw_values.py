"""Which function draws the facts of which kind of story."""

from collections.abc import Callable

from highlighter.newswire import draw_culture_values as culture
from highlighter.newswire import draw_field_values as field
from highlighter.newswire import draw_money_values as business
from highlighter.newswire import draw_public_values as public
from highlighter.newswire.run_desk import Desk, Values

VALUE_DRAWERS: dict[str, Callable[[Desk, str], Values]] = {
    "courts": public.draw_courts,
    "elections": public.draw_elections,
    "company": business.draw_company,
    "sport": field.draw_sport,
    "storm": field.draw_storm,
    "science": field.draw_science,
    "transport": public.draw_transport,
    "health": public.draw_health,
    "council": public.draw_council,
    "arts": culture.draw_arts,
    "technology": business.draw_technology,
    "fire": field.draw_fire,
    "education": culture.draw_education,
    "labour": culture.draw_labour,
    "wildlife": culture.draw_wildlife,
}
