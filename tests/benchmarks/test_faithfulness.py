"""Flagged summaries against human judgments."""

import json
import lzma
from pathlib import Path

import pytest

from benchmarks.faithfulness import read_judged
from highlighter.errors import CorpusError
from tests.benchmarks.test_inputs import run
from tests.evaluation.test_entailment import LABELS, save_classifier

DOCUMENTS = ("Ann Holt runs the port. It is shut.", "Bob Marsh runs the school now. It is open.")


def _row(document: int, summary: str, label: int, *kinds: str) -> str:
    row = {"doc": DOCUMENTS[document], "summary": summary, "label": label, "edit_types": kinds}
    return json.dumps(row) + "\n"


def _write(folder: Path) -> None:
    lines = [
        _row(0, "So said Ann Holt.", 1),
        _row(0, "So said Carl Holt.", 0, "entity"),
        _row(1, "So said Sir Walter Raleigh.", 1),
        _row(1, "So said Ann Marsh.", 0, "entity", "antonym"),
        _row(1, "It is a school.", 0, "antonym"),
    ]
    (folder / "plain.jsonl").write_text("".join(lines[:3]))
    (folder / "packed.jsonl.xz").write_bytes(lzma.compress("".join(lines[3:]).encode()))


def test_precision_and_recall_by_kind_and_source(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    _write(tmp_path)
    assert run("faithfulness", str(tmp_path), "--output", str(tmp_path)) == 0
    capsys.readouterr()
    stored = json.loads((tmp_path / "faithfulness.json").read_text())
    counts = {
        row["summaries"]: tuple(
            row[name] for name in ("inconsistent", "caught", "consistent", "flagged")
        )
        for row in stored["rows"]
    }
    assert counts == {
        "all": (3, 2, 2, 1),
        "packed": (2, 1, 0, 0),
        "plain": (1, 1, 2, 1),
        "antonym": (2, 1, 2, 1),
        "entity": (2, 2, 2, 1),
    }
    values = stored["rows"][0]
    assert values["precision"].startswith("0.667 [")
    assert values["recall"].startswith("0.667 [")
    assert values["false alarms"].startswith("0.500 [")
    assert values["balanced accuracy"].startswith("0.583 [")


def test_a_learned_judge_flags_what_is_below_the_threshold(tmp_path: Path) -> None:
    _write(tmp_path)
    model = save_classifier(tmp_path / "nli", LABELS)
    for threshold, flagged in (("0", 0), ("1.1", 5)):
        run("faithfulness", str(tmp_path), "--output", str(tmp_path), "--entailment", model,
            "--threshold", threshold)  # fmt: skip
        stored = json.loads((tmp_path / "faithfulness.json").read_text())
        assert stored["judge"] == f"{model} (main), threshold {threshold}"
        assert stored["rows"][0]["caught"] + stored["rows"][0]["flagged"] == flagged


def test_the_halves_share_no_document(tmp_path: Path) -> None:
    _write(tmp_path)
    halves = [read_judged(tmp_path, half) for half in ("first", "second")]
    assert [len({row.document for row in half}) for half in halves] == [1, 1]
    assert sum(map(len, halves)) == 5


@pytest.mark.parametrize("line", ["{", '{"doc": "a"}', "[]", _row(0, "a", 1).replace("1", '"?"')])
def test_a_line_that_is_no_judged_summary_is_named(tmp_path: Path, line: str) -> None:
    (tmp_path / "a.jsonl").write_text(_row(0, "It is shut.", 1) + line)
    with pytest.raises(CorpusError, match=r"a.jsonl, line 2: not a judged summary"):
        read_judged(tmp_path)


def test_a_folder_without_judged_summaries_is_named(tmp_path: Path) -> None:
    with pytest.raises(CorpusError, match="no judged summaries"):
        read_judged(tmp_path)
