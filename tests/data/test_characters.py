import pytest
from hypothesis import given
from hypothesis import strategies as st
from transformers import PreTrainedTokenizerBase

from highlighter.data.characters import (
    drop_invisible,
    fold_compatible,
    has_other_scripts,
    has_visible_text,
    tokenizer_text,
    words_of_all_scripts,
)
from highlighter.data.oracle import greedy_oracle
from highlighter.data.windows import encode_articles
from highlighter.metrics.faithfulness import ArticleFacts
from highlighter.metrics.rouge import score_rouge
from highlighter.metrics.text import coverage


@pytest.mark.parametrize(
    ("text", "visible"),
    [
        ("", False),
        (" \n\u00a0\u3000", False),
        ("\u200b\n\n\ufeff", False),
        ("\u00ad\u2060\u200e", False),
        ("\u3164\u2800\u115f", False),
        ("\ufe0f\U000e0020", False),
        ("\0\x1b\x81\x9d", False),
        ("\u0301", True),
        ("\u200ba", True),
        ("…", True),
        ("日", True),
        ("😀", True),
    ],
)
def test_visible_text(text: str, visible: bool) -> None:
    assert has_visible_text(text) == visible


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("Ash\u00adford Coun\u00adcil", "Ashford Council"),
        ("ser\u200bvice\ufeff", "service"),
        ("co\u200doperate", "cooperate"),
        ("ﬁre oﬀer", "fire offer"),
        ("１２ people", "12 people"),
        ("3\u00a0May\u202f2013", "3 May 2013"),
    ],
)
def test_texts_are_compared_as_they_are_read(written: str, read: str) -> None:
    assert fold_compatible(written) == read
    assert score_rouge([written], [read])["rougeLsum"] == [1.0]
    assert coverage(read, written) == coverage(written, read) == 1.0
    assert greedy_oracle([written, "Nothing else."], read) == [0]


def test_joiners_of_other_scripts_and_emoji_stay() -> None:
    for text in ("می\u200cخواهم", "क्\u200dष", "👩\u200d🚒"):
        assert drop_invisible(text) == text


def test_a_name_with_soft_hyphens_supports_a_summary() -> None:
    article = "Ash\u00adford Coun\u00adcil voted on Monday. Jane Quill chairs it."
    assert not ArticleFacts(article).unsupported("Ashford Council voted on Monday.")
    assert not ArticleFacts("Ashford Council voted.").unsupported("Ash\u200bford Council voted.")
    assert ArticleFacts(article).unsupported("Osdon Council voted.")


@pytest.mark.parametrize(
    "token", ["</s>", "<pad>", "<unk>", "<extra_id_0>", "<extra_id_99>", "<0x41>"]
)
def test_special_tokens_in_an_article_are_plain_text(
    token: str, tokenizer: PreTrainedTokenizerBase
) -> None:
    article = f"The tag {token} closes it."
    [encoded] = encode_articles([article], tokenizer, 500)
    ids = [i for segment in encoded.segments for i in segment]
    known = tokenizer.convert_tokens_to_ids(token)
    assert known == tokenizer.unk_token_id or known not in ids
    assert article[slice(*encoded.sentences[0])] == article


def test_soft_hyphens_do_not_reach_the_tokenizer(tokenizer: PreTrainedTokenizerBase) -> None:
    one, other = encode_articles(["Ash\u00adford vo\u200bted.", "Ashford voted."], tokenizer, 500)
    assert one.segments == other.segments


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("Паром вернётся 3 мая.", ["паром", "вернётся", "3", "мая"]),
        ("चुनाव शांति से हुए।", ["चुनाव", "शांति", "से", "हुए"]),
        ("عادت العبّارة، أمس", ["عادت", "العبّارة", "أمس"]),
        ("日本語です。", list("日本語です")),
        ("ราคา 5", [*"ราคา", "5"]),
        ("한국 뉴스", ["한국", "뉴스"]),
        ("“The” cat—sat… 😀", ["the", "cat", "sat"]),
    ],
)
def test_words_of_every_script_count(text: str, words: list[str]) -> None:
    assert words_of_all_scripts(text) == words
    scores = score_rouge([text, "xyz"], [text, text])["rouge1"]
    assert scores == [1.0, 0.0]


def test_the_oracle_labels_sentences_of_other_scripts() -> None:
    sentences = ["Ремонт стоил миллион.", "Паром вернётся третьего мая.", "Жители ждали всю зиму."]
    assert greedy_oracle(sentences, "Паром вернётся в мае.") == [1]


@given(st.text(alphabet=st.characters(max_codepoint=0x24F), max_size=80))
def test_latin_text_has_no_other_script(text: str) -> None:
    assert not has_other_scripts(text)


@given(st.text(alphabet=st.characters(exclude_categories=["Cs"]), max_size=80))
def test_tokenizer_text_only_drops_the_invisible_and_adds_spaces(text: str) -> None:
    assert tokenizer_text(text).replace(" ", "") == drop_invisible(text).replace(" ", "")
