"""The shapes of T5 that benchmarks train and write with."""

from pathlib import Path

from highlighter.settings import GivenVocabulary, ScratchModel

SHAPES = {
    "t5-small": {"d_model": 512, "d_ff": 2048, "layers": 6, "num_heads": 8},
    "t5-base": {"d_model": 768, "d_ff": 3072, "layers": 12, "num_heads": 12},
}


def random_weights(shape: str, vocabulary: Path) -> ScratchModel:
    """A T5 of one of SHAPES, as deep in the decoder as in the encoder.

    `vocabulary` is a folder with `spiece.model`.
    """
    sizes = dict(SHAPES[shape])
    layers = sizes.pop("layers")
    return ScratchModel(
        kind="scratch",
        vocabulary=GivenVocabulary(kind="folder", path=str(vocabulary)),
        d_kv=64,
        num_layers=layers,
        num_decoder_layers=layers,
        **sizes,
    )
