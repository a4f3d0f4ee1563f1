"""Where a short draft shows that the model is guessing, no summary is written."""

from collections.abc import Sequence

import pytest
from transformers import GenerationConfig

from highlighter.article_words import WordList
from highlighter.draft import write_if_sure
from highlighter.generation import Generated
from highlighter.settings import TrustSettings

CONFIG = GenerationConfig(num_beams=4, max_new_tokens=40, min_new_tokens=8, length_penalty=1.0)


class Writer:
    """Is as sure of a source as its first id says, in percent; writes as much as it may."""

    def __init__(self) -> None:
        self.calls: list[tuple[list[int], int, int, int, bool]] = []

    def write(
        self,
        sources: Sequence[list[int]],
        config: GenerationConfig,
        *,
        batch_size: int,
        words: Sequence[WordList] | None = None,
    ) -> list[Generated]:
        assert words is None or len(words) == len(sources)
        first = [source[0] for source in sources]
        limits = (config.num_beams, config.min_new_tokens, config.max_new_tokens)
        self.calls.append((first, *limits, words is not None))
        return [
            Generated(source[:1] * config.max_new_tokens, source[0] / 100) for source in sources
        ]


def write(least: float, draft: int, most: int = 40) -> tuple[list[Generated], Writer]:
    writer = Writer()
    config = GenerationConfig.from_dict(CONFIG.to_dict() | {"max_new_tokens": most})
    sources = [[50], [90], [69], [71]]
    trust = TrustSettings(minimum_confidence=least, draft_tokens=draft)
    words = [WordList("Maren Holt")] * len(sources)
    return write_if_sure(writer, sources, config, trust, batch_size=8, words=words), writer


def test_only_what_it_is_sure_of_is_written_out() -> None:
    outputs, writer = write(0.7, 16)
    assert [(output.ids[0], len(output.ids)) for output in outputs] == [
        (50, 16), (90, 40), (69, 16), (71, 40),
    ]  # fmt: skip
    assert writer.calls == [([50, 90, 69, 71], 1, 8, 16, False), ([90, 71], 4, 8, 40, True)]


@pytest.mark.parametrize(("least", "draft"), [(0.7, 0), (0.0, 16)])
def test_without_a_draft_or_a_least_confidence_all_is_written_at_once(
    least: float, draft: int
) -> None:
    outputs, writer = write(least, draft)
    assert [len(output.ids) for output in outputs] == [40] * 4
    assert len(writer.calls) == 1


def test_a_draft_is_never_longer_than_the_summary() -> None:
    outputs, writer = write(0.7, 16, most=5)
    assert [len(output.ids) for output in outputs] == [5] * 4
    assert writer.calls[0][1:4] == (1, 5, 5)
