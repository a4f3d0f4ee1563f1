"""Names of one country, region or group: its name, adjective and people."""

# One line for each; plurals in -s and initials with dots are the same.
_NAMES = """
afghanistan afghan
africa african
albania albanian
algeria algerian
america american us usa
arab arabic arabian arabia
argentina argentine argentinian
armenia armenian
asia asian
australia australian aussie
austria austrian
azerbaijan azerbaijani azeri
bahrain bahraini
bangladesh bangladeshi
belarus belarusian
belgium belgian
bolivia bolivian
bosnia bosnian
brazil brazilian
britain british briton brit uk
bulgaria bulgarian
burma burmese myanmar
california californian
cambodia cambodian
cameroon cameroonian
canada canadian
catalonia catalan
chechnya chechen
chile chilean
china chinese
colombia colombian
congo congolese
corsica corsican
croatia croatian croat
cuba cuban
cyprus cypriot
czechia czech
denmark danish dane
ecuador ecuadorian
egypt egyptian
england english
estonia estonian
ethiopia ethiopian
europe european
finland finnish finn
florida floridian
france french frenchman frenchwoman frenchmen
gambia gambian
gaza gazan
germany german
ghana ghanaian
greece greek
guatemala guatemalan
haiti haitian
hawaii hawaiian
holland dutch netherlands dutchman
honduras honduran
hungary hungarian
iceland icelandic icelander
india indian
indonesia indonesian
iran iranian
iraq iraqi
ireland irish irishman
israel israeli
italy italian
jamaica jamaican
japan japanese
kazakhstan kazakh
kenya kenyan
korea korean
kosovo kosovan kosovar
kurdistan kurdish kurd
kuwait kuwaiti
laos laotian
latvia latvian
lebanon lebanese
liberia liberian
libya libyan
lithuania lithuanian
london londoner
malaysia malaysian
mali malian
mexico mexican
moldova moldovan
mongolia mongolian
morocco moroccan
nepal nepalese nepali
nicaragua nicaraguan
nigeria nigerian
norway norwegian
oman omani
pakistan pakistani
palestine palestinian
panama panamanian
paraguay paraguayan
peru peruvian
philippines philippine filipino filipina
poland polish pole
portugal portuguese
qatar qatari
romania romanian
russia russian kremlin
rwanda rwandan
saudi saudis
scotland scottish scot scots
senegal senegalese
serbia serbian serb
sicily sicilian
singapore singaporean
slovakia slovak slovakian
slovenia slovenian
somalia somali
spain spanish spaniard
sudan sudanese
sweden swedish swede
switzerland swiss
syria syrian
taiwan taiwanese
tanzania tanzanian
texas texan
thailand thai
tibet tibetan
tunisia tunisian
turkey turkish turk
uganda ugandan
ukraine ukrainian
uruguay uruguayan
uzbekistan uzbek
venezuela venezuelan
vietnam vietnamese
wales welsh welshman
yemen yemeni
zambia zambian
zealand zealander
zimbabwe zimbabwean
christian christians christianity
democrat democratic democrats
islam islamic muslim
jew jewish judaism
republican republicans gop
"""
_PLACE = {name: line.split()[0] for line in _NAMES.split("\n") for name in line.split()}


def place_of(word: str) -> str | None:
    """Return the same word for every name of a place or group ("china" for "chinese"), or None.

    Args:
        word: case-folded.
    """
    return _PLACE.get(word) or _PLACE.get(word.removesuffix("s"))
