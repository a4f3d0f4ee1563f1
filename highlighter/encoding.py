"""Articles as the token ids a model reads, sentence by sentence."""

from collections.abc import Sequence
from dataclasses import dataclass

from transformers import PreTrainedTokenizerBase

from highlighter.segmentation import Span, split_sentences
from highlighter.settings import TextSettings


@dataclass(frozen=True)
class EncodedArticle:
    """Token ids of an article's pieces, uncut and without prefix or end token.

    A piece is a sentence, or a part of one that is too long for a window. `sentence_of_piece`
    never decreases; `sentences` are character spans.
    """

    sentences: list[Span]
    pieces: list[list[int]]
    sentence_of_piece: list[int]

    @property
    def tokens(self) -> int:
        """Tokens of the whole article."""
        return sum(map(len, self.pieces))


def piece_budget(prefix_ids: Sequence[int], text: TextSettings) -> int:
    """Tokens of article that fit in one window, between the prefix and the end token."""
    return text.max_source_tokens - len(prefix_ids) - 1


def encode_prefix(tokenizer: PreTrainedTokenizerBase, text: TextSettings) -> list[int]:
    """Token ids of the task prefix."""
    ids: list[int] = tokenizer(text.prefix, add_special_tokens=False)["input_ids"]
    return ids


def encode_articles(
    articles: Sequence[str], tokenizer: PreTrainedTokenizerBase, budget: int
) -> list[EncodedArticle]:
    """Each article's sentences as token ids, in pieces of at most `budget` tokens.

    T5's tokenizer splits at white space first, so sentences give the same ids alone as in context.
    """
    spans = [split_sentences(article) for article in articles]
    texts = [
        article[start:end]
        for article, sentences in zip(articles, spans, strict=True)
        for start, end in sentences
    ]
    ids = iter(tokenizer(texts, add_special_tokens=False)["input_ids"] if texts else [])
    encoded = []
    for sentences in spans:
        pieces, sentence_of_piece = [], []
        for index in range(len(sentences)):
            tokens = next(ids)
            for start in range(0, max(1, len(tokens)), budget):
                pieces.append(tokens[start : start + budget])
                sentence_of_piece.append(index)
        encoded.append(EncodedArticle(sentences, pieces, sentence_of_piece))
    return encoded


def cut(ids: list[int], limit: int) -> list[int]:
    """At most `limit` ids, the last of which stays the end token."""
    return ids if len(ids) <= limit else [*ids[: limit - 1], ids[-1]]
