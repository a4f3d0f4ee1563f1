"""Low-rank updates beside frozen weights: little to train, and a plain T5 again in the end."""

from peft import LoraConfig, LoraModel

from highlighter.model import T5ForHighlighting
from highlighter.settings import LoraSettings


class LowRankUpdates:
    """Adapters inside a model; until they are merged, only they and the salience head learn."""

    def __init__(self, model: T5ForHighlighting, settings: LoraSettings) -> None:
        config = LoraConfig(
            r=settings.rank,
            lora_alpha=settings.alpha,
            lora_dropout=settings.dropout,
            target_modules=list(settings.targets),
            exclude_modules=r"salience\..*",
        )
        self._tuner = LoraModel(model, config, adapter_name="default")
        model.salience.requires_grad_(True)
        self._model = model

    def merge(self) -> None:
        """Add the updates to the weights and leave no adapter behind."""
        self._tuner.merge_and_unload()
        self._model.requires_grad_(True)
