"""The embedded corpus: deterministic, readable, and stating nothing its articles do not state."""

import random
import re
import subprocess
import sys
from functools import cache
from itertools import pairwise
from typing import Any

import pyarrow.parquet as pq
import pytest

from highlighter.embedded import CORPUS
from tests.conftest import ROOT
from tools.newswire.corpus import SPLIT_SIZES, generate_row, generate_rows, generate_story
from tools.newswire.facts import Desk
from tools.newswire.names import NameGroup, is_held_out
from tools.newswire.stories import (
    KINDS,
    VALUE_DRAWERS,
    TemplateFiller,
    find_faults,
    find_unread,
    plan_shapes,
    split_sentences,
    tidy,
)

DATA = CORPUS
SPLITS = tuple(SPLIT_SIZES)
WORD = re.compile(r"[^\W_]+")
NUMBER = re.compile(r"\d+(?:[.,:-]\d+)*")
NAME = re.compile(r"[A-Z][a-z]+")
SLIPS = {
    "double stop": r"\.\.|\.,|,,|,\.",
    "blank before a mark": r" [,.;:?!]",
    "template mark": r"[{}\[\]|#<>]|@[aA] |%\w+ x\d",
    "double blank": r"  ",
    "a before a vowel": r"\b[Aa] (?:8|11\b|18\b|[aeio](?!ne|u)[a-z])",
    "an before a consonant": r"\b[Aa]n (?:[bcdfgjklmnpqrstvwxz]|[2-79])",
    "a Python value": r"\bNone\b(?! of)|\bnan\b|\bTrue\b|\bFalse\b",
    "small letter after a stop": r"[a-z]\. [a-z]",
    "doubled word": r"\b(?:the the|a a|an an|of of|to to|in in|on on|and and|was was|is is)\b",
}


@cache
def read(split: str) -> list[dict[str, Any]]:
    """The committed rows of a split."""
    rows: list[dict[str, Any]] = pq.read_table(DATA / f"{split}.parquet").to_pylist()
    return rows


def all_rows() -> list[dict[str, Any]]:
    return [row for split in SPLITS for row in read(split)]


def test_the_same_seed_gives_the_same_row_and_another_seed_another_one() -> None:
    once = [generate_row("train", number, seed=5) for number in range(15)]
    assert once == [generate_row("train", number, seed=5) for number in range(15)]
    other = [generate_row("train", number, seed=6) for number in range(15)]
    assert all(row.article != twin.article for row, twin in zip(once, other, strict=True))


def test_rows_do_not_depend_on_the_hash_seed() -> None:
    code = (
        "from tools.newswire.corpus import generate_row as g;"
        "print([(r.article, r.highlights, r.facts) for r in (g('test', n) for n in range(8))])"
    )
    runs = {
        subprocess.run(
            [sys.executable, "-c", code],
            env={"PYTHONHASHSEED": hash_seed, "PYTHONPATH": str(ROOT)},
            capture_output=True,
            check=True,
        ).stdout
        for hash_seed in ("1", "2")
    }
    assert len(runs) == 1


def test_committed_validation_split_is_what_the_generator_makes() -> None:
    assert [vars(row) for row in generate_rows("validation")] == read("validation")


@pytest.mark.parametrize("split", ["train", "test"])
def test_committed_split_matches_the_generator_at_sampled_rows(split: str) -> None:
    for number in range(0, SPLIT_SIZES[split], SPLIT_SIZES[split] // 20):
        assert vars(generate_row(split, number)) == read(split)[number]


def test_corpus_is_small_enough_to_commit() -> None:
    assert sum((DATA / f"{split}.parquet").stat().st_size for split in SPLITS) <= 3_000_000
    assert {split: len(read(split)) for split in SPLITS} == SPLIT_SIZES


def test_every_fact_stands_in_the_article_and_in_the_highlights() -> None:
    for row in all_rows():
        assert len(row["facts"]) >= 2, row["id"]
        for fact in row["facts"]:
            assert fact in row["article"], (row["id"], fact)
            assert fact in row["highlights"], (row["id"], fact)


def test_every_number_of_the_highlights_stands_in_the_article() -> None:
    for row in all_rows():
        known = set(NUMBER.findall(row["article"]))
        assert set(NUMBER.findall(row["highlights"])) <= known, row["id"]


def test_every_name_of_the_highlights_stands_in_the_article() -> None:
    for row in all_rows():
        known = set(NAME.findall(row["article"]))
        for sentence in row["highlights"].split("\n"):
            # The first word is capitalised whether it is a name or not.
            names = set(NAME.findall(sentence.split(" ", 1)[1]))
            assert names <= known, (row["id"], names - known)


def test_articles_and_highlights_have_the_promised_lengths() -> None:
    for row in all_rows():
        paragraphs = row["article"].split("\n\n")
        assert 5 <= len(paragraphs) <= 12, row["id"]
        assert 170 <= len(row["article"].split()) <= 380, row["id"]
        assert all(1 <= len(split_sentences(p)) <= 4 for p in paragraphs), row["id"]
        assert 2 <= len(row["highlights"].split("\n")) <= 4, row["id"]
        assert all(line.endswith(".") for line in row["highlights"].split("\n")), row["id"]


def test_articles_vary_in_how_many_paragraphs_they_have() -> None:
    counts = {row["article"].count("\n\n") + 1 for row in read("train")}
    assert len(counts) >= 6


@pytest.mark.parametrize("slip", SLIPS)
def test_no_text_has_a_slip_of_form(slip: str) -> None:
    pattern = re.compile(SLIPS[slip])
    for row in all_rows():
        for text in (row["article"], row["highlights"]):
            found = pattern.search(text)
            assert not found, (row["id"], text[max(0, found.start() - 40) : found.end() + 20])


def test_american_stories_use_american_spelling() -> None:
    british = re.compile(
        r"\b(?:organised|programme|neighbours?|colour|centre|defence|lorry)\b", re.I
    )
    for row in all_rows():
        if re.search(r"(?<![A-Z])\$\d", row["article"]) and "NZ$" not in row["article"]:
            assert not british.search(row["article"] + row["highlights"]), row["id"]


def test_quotation_marks_come_in_pairs() -> None:
    for row in all_rows():
        for paragraph in row["article"].split("\n\n"):
            assert paragraph.count('"') % 2 == 0, (row["id"], paragraph)


def test_splits_share_neither_articles_nor_highlights() -> None:
    for column in ("id", "article", "highlights"):
        values = [row[column] for row in all_rows()]
        assert len(values) == len(set(values)), column


def test_every_kind_is_in_every_split() -> None:
    assert len(KINDS) >= 12
    for split in SPLITS:
        assert {row["kind"] for row in read(split)} == set(KINDS)


def test_unseen_names_are_named_nowhere_in_train_or_validation() -> None:
    seen = {
        w for s in ("train", "validation") for row in read(s) for w in WORD.findall(row["article"])
    }
    unseen = [number for number, row in enumerate(read("test")) if row["unseen_names"]]
    assert len(unseen) == len(read("test")) // 2
    assert {read("test")[number]["kind"] for number in unseen} == set(KINDS)
    checked = 0
    for number in unseen[::4]:
        for name in generate_story("test", number).names:
            assert is_held_out(name)
            assert name not in seen, (number, name)
            checked += name in read("test")[number]["article"]
    assert checked > 300


def test_other_test_articles_use_training_words_for_people_not_named_in_training() -> None:
    seen_text = "\n".join(row["article"] for row in read("train"))
    for number in range(0, 60, 2):
        story = generate_story("test", number)
        assert not any(is_held_out(name) for name in story.names)
        people = [f"{first} {last}" for first, last in pairwise(story.names)]
        named = [person for person in people if person in story.article]
        assert named, number
        assert not any(person in seen_text for person in named), number


@pytest.mark.parametrize("kind", KINDS)
def test_which_facts_the_highlights_state_is_no_chance(kind: str) -> None:
    """Nobody can tell from the article which wording its reference has."""

    def stated(filler: TemplateFiller, wording: str) -> set[str]:
        values: list[str] = []
        filler.fill_noting(wording, values)
        return {value.split()[-1] for value in values if re.search("[A-Z0-9]", value)}

    for shape in plan_shapes(kind):
        for draw in range(12):
            desk = Desk(random.Random(f"{kind}/{shape.name}/{draw}"), NameGroup.TRAIN)
            values = desk.base_values() | VALUE_DRAWERS[kind](desk, shape.name)
            filler = TemplateFiller(desk, values)
            points = [[stated(filler, wording) for wording in point] for point in shape.points]
            for wordings in points:
                assert all(facts == wordings[0] for facts in wordings), shape.name
            for wording in shape.brief:
                assert stated(filler, wording) == points[0][0] | points[1][0], shape.name


def test_many_facts_come_after_the_third_sentence() -> None:
    late = total = spread = 0
    for row in read("train"):
        lead = " ".join(split_sentences(row["article"])[:3])
        beyond = [fact for fact in row["facts"] if fact not in lead]
        late, total = late + len(beyond), total + len(row["facts"])
        spread += bool(beyond)
    assert late / total > 0.4
    assert spread / len(read("train")) > 0.9


def test_many_articles_open_without_the_news() -> None:
    first = [row["article"].split("\n\n")[0].split(" - ")[-1] for row in read("train")]
    silent = [
        not any(fact in lead for fact in row["facts"])
        for lead, row in zip(first, read("train"), strict=True)
    ]
    assert 0.25 < sum(silent) / len(silent) < 0.6


def test_articles_hold_more_names_and_numbers_than_the_highlights_need() -> None:
    spare = [
        len(set(NUMBER.findall(row["article"])) - set(NUMBER.findall(row["highlights"])))
        for row in read("validation")
    ]
    assert min(spare) >= 1
    assert sum(count >= 4 for count in spare) > 0.95 * len(spare)


def test_highlights_are_not_copied_from_the_article() -> None:
    lines = [(line, row) for row in read("train") for line in row["highlights"].split("\n")]
    copied = sum(line in row["article"] for line, row in lines)
    assert copied / len(lines) < 0.02


def test_find_unread_sees_an_invented_number_and_an_invented_name() -> None:
    article = "Ines Bell won 12 votes in Tarnby."
    assert find_unread(article, ["In Tarnby Bell won 12 votes."]) == []
    assert find_unread(article, ["In Tarnby Bell won 13 votes."]) == ["13"]
    assert find_unread(article, ["In Tarnby Holt won 12 votes."]) == ["Holt"]
    assert find_unread(article, ["Bell won four times."]) == ["four"]


def test_find_faults_sees_a_missing_fact_and_a_slip() -> None:
    article = "\n\n".join(["Bell won the vote. " * 10 + "Holt lost.."] * 6)
    line = "Bell won the vote and Holt lost the vote. " * 2
    faults = find_faults(article, [line], ["£4"])
    assert any("'£4' not in the article" in fault for fault in faults)
    assert any("slip" in fault for fault in faults)
    assert find_faults(article.replace("..", "."), [line], ["Bell", "Holt"]) == []
    assert find_faults(article.replace("..", "."), [line], ["Bell"]) == ["1 facts"]


@pytest.mark.parametrize(
    ("raw", "clean"),
    [
        ("@A 18-year-old baker  won", "An 18-year-old baker won"),
        ("he got @a 180-page book . she read it", "He got a 180-page book. She read it"),
        ("@A hour and @a uniform", "An hour and a uniform"),
        ("@A 11-1 win", "An 11-1 win"),
        ("@A one-day @a 8% rise", "A one-day an 8% rise"),
        ("@A £8 million deal, @a $900 fine", "An £8 million deal, a $900 fine"),
    ],
)
def test_tidy_writes_clean_copy(raw: str, clean: str) -> None:
    assert tidy(raw) == clean
