"""The countries stories are filed from, with the spelling and units each one uses."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Country:
    """How a newsroom in this country writes."""

    name: str
    adjective: str
    american: bool
    currency: str
    scale: float  # local money for one unit of the corpus's own reckoning
    metric: bool
    court: str
    weight: int
    regions: tuple[str, ...]


COUNTRIES = (
    Country(
        "the United States", "American", True, "$", 1.3, False, "County Court", 40,
        ("Ohio", "Oregon", "Vermont", "Nebraska", "Georgia", "Michigan", "Idaho", "Kansas",
         "Maine", "Colorado", "Missouri", "Virginia", "Alabama", "Wisconsin", "Nevada",
         "Montana", "Iowa", "Arizona", "Tennessee", "Pennsylvania"),
    ),
    Country(
        "Britain", "British", False, "£", 1.0, False, "Crown Court", 30,
        ("Norfolk", "Devon", "Cumbria", "Kent", "Lancashire", "Fife", "Cornwall", "Shropshire",
         "Gwynedd", "County Durham", "Lincolnshire", "Dorset", "Aberdeenshire", "Somerset"),
    ),
    Country(
        "Australia", "Australian", False, "A$", 1.9, True, "District Court", 9,
        ("Queensland", "Victoria", "Tasmania", "New South Wales", "South Australia"),
    ),
    Country(
        "Ireland", "Irish", False, "€", 1.2, True, "Circuit Court", 8,
        ("County Mayo", "County Cork", "County Clare", "County Kerry", "County Sligo"),
    ),
    Country(
        "New Zealand", "New Zealand", False, "NZ$", 2.1, True, "District Court", 7,
        ("Otago", "Waikato", "Southland", "Taranaki", "Canterbury"),
    ),
    Country(
        "South Africa", "South African", False, "R", 22.0, True, "Regional Court", 6,
        ("Limpopo", "Gauteng", "Mpumalanga", "the Western Cape", "the Free State"),
    ),
)  # fmt: skip
