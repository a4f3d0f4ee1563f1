"""Gives templates, written in British English, the words an American newsroom would use."""

import re

_PAIRS = """
organised=organized organiser=organizer organisers=organizers organise=organize
recognised=recognized apologised=apologized apologises=apologizes criticised=criticized
levelled=leveled travelled=traveled travellers=travelers realise=realize
favour=favor colour=color labour=labor harbour=harbor honour=honor rumours=rumors
neighbour=neighbor neighbours=neighbors programme=program centre=center
theatre=theater theatres=theaters metre=meter metres=meters storey=story grey=gray
defence=defense cheque=check tyre=tire lorry=truck flat=home flats=apartments
pub=bar crisps=chips rucksack=backpack pram=stroller petrol=gas postman=mailman
pupil=student pupils=students pensioners=retirees vicar=pastor chemists=drugstores
councillor=councilor councillors=councilors football=soccer holiday=vacation
holidays=vacations equalises=equalizes equalised=equalized equaliser=equalizer
"""
_WORDS = dict(pair.split("=") for pair in _PAIRS.split())
_PATTERN = re.compile(r"\b(" + "|".join(_WORDS) + r")\b", re.I)


def americanise(text: str) -> str:
    """The text with American spellings; a capital stays a capital."""
    return _PATTERN.sub(_replace, text)


def _replace(match: re.Match[str]) -> str:
    word = _WORDS[match[0].lower()]
    return word.capitalize() if match[0][0].isupper() else word
