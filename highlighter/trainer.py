"""transformers' trainer with two losses: the summary's and the salience head's."""

from collections import defaultdict
from typing import Any

import torch
from transformers import (
    Seq2SeqTrainer,
    TrainerCallback,
    TrainerControl,
    TrainerState,
    TrainingArguments,
)

from highlighter.batches import IGNORED, Batch, WindowCollator
from highlighter.model import T5ForHighlighting
from highlighter.settings import TrainingSettings
from highlighter.training_state import Progress


class ValidateAtEnd(TrainerCallback):
    """The last step's weights are a candidate too, even off the validation interval."""

    def on_step_end(
        self,
        args: TrainingArguments,
        state: TrainerState,
        control: TrainerControl,
        **kwargs: Any,
    ) -> None:
        """Ask for a validation once the last step is done."""
        if state.global_step >= state.max_steps:
            control.should_evaluate = True


class HighlightTrainer(Seq2SeqTrainer):
    """Optimizes the weighted sum of both losses and logs each of them."""

    data_collator: WindowCollator
    optimizer: torch.optim.Optimizer | None

    def __init__(
        self, *, settings: TrainingSettings, validation_collator: WindowCollator, **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        self._settings = settings
        self._validation_collator = validation_collator
        # Each batch is a mean already: don't divide by tokens of the accumulated batches.
        self.model_accepts_loss_kwargs = False
        self._sums: dict[str, list[float]] = defaultdict(lambda: [0.0, 0.0])

    def compute_loss(
        self,
        model: T5ForHighlighting,
        inputs: Batch,
        return_outputs: bool = False,
        num_items_in_batch: torch.Tensor | None = None,
    ) -> Any:
        """The weighted sum for one batch."""
        if not self._settings.summary_weight:  # spare the decoder's work
            inputs = inputs | {"labels": torch.full_like(inputs["labels"], IGNORED)}
        summary, salience, output = model(**inputs)
        prefix = "" if model.training else "eval_"
        self._observe(prefix + "salience_loss", salience)
        if output is not None:
            self._observe(prefix + "summary_loss", summary)
        loss = self._settings.summary_weight * summary + self._settings.salience_weight * salience
        return (loss, {"logits": output.logits}) if return_outputs else loss

    def create_optimizer(self, *args: Any, **kwargs: Any) -> torch.optim.Optimizer:
        """The configured optimizer; the salience head's own layers learn at their own rate."""
        if self.optimizer is None:
            decayed = set(self.get_decay_parameter_names(self.model))
            groups: dict[tuple[bool, bool], list[torch.nn.Parameter]] = defaultdict(list)
            for name, weight in self.model.named_parameters():
                # The projection of encoder states starts at zero and learns with the encoder.
                head = name.startswith("salience.") and not name.startswith("salience.states.")
                groups[head, name in decayed].append(weight)
            kind, options = self.get_optimizer_cls_and_kwargs(self.args, self.model)
            self.optimizer = kind(
                [
                    {
                        "params": weights,
                        "weight_decay": self.args.weight_decay if decay else 0.0,
                        "lr": self._settings.salience_learning_rate
                        if head
                        else self.args.learning_rate,
                    }
                    for (head, decay), weights in groups.items()
                ],
                **options,
            )
        return self.optimizer

    def get_eval_dataloader(self, eval_dataset: Any = None) -> Any:
        """Validation reads every window and tosses no coin."""
        training_collator: WindowCollator = self.data_collator
        self.data_collator = self._validation_collator
        try:
            return super().get_eval_dataloader(eval_dataset)
        finally:
            self.data_collator = training_collator

    def prediction_step(
        self,
        model: T5ForHighlighting,
        inputs: Batch,
        prediction_loss_only: bool,
        ignore_keys: list[str] | None = None,
        **kwargs: Any,
    ) -> tuple[Any, Any, Any]:
        """The loss over all windows; with generation, the summaries of the decoder's sources."""
        inputs = self._prepare_inputs(inputs)
        with torch.no_grad():
            loss = self.compute_loss(model, inputs).detach()
        if prediction_loss_only or not self.args.predict_with_generate:
            return loss, None, None
        written = (inputs["labels"] != IGNORED).any(dim=1)
        generated = model.generate(
            input_ids=inputs["input_ids"][written],
            attention_mask=inputs["attention_mask"][written],
            max_new_tokens=self.args.generation_max_length,
            num_beams=self.args.generation_num_beams,
            do_sample=False,
        )
        return loss, generated, inputs["labels"][written]

    def log(self, logs: dict[str, float], start_time: float | None = None) -> None:
        """Add the means of both losses since they were last logged."""
        for prefix, marker in (("", "loss"), ("eval_", "eval_loss")):
            if marker in logs:
                for name in ("summary_loss", "salience_loss"):
                    total, count = self._sums.pop(prefix + name, (0.0, 0.0))
                    if count:
                        logs[prefix + name] = total / count
        super().log(logs, start_time)

    def unlogged(self) -> dict[str, Any]:
        """What the next log entry will be made of, as fields of Progress."""
        return {
            "last_logged_step": self._globalstep_last_logged,
            "loss": self._tr_loss.item(),
            "losses": {name: tuple(sums) for name, sums in self._sums.items()},
        }

    def restore_unlogged(self, progress: Progress) -> None:
        """Go on from what `unlogged` said."""
        self._globalstep_last_logged = progress.last_logged_step
        self._tr_loss += progress.loss
        self._sums.update({name: list(sums) for name, sums in progress.losses.items()})

    def _observe(self, name: str, value: torch.Tensor) -> None:
        self._sums[name][0] += float(value.detach())
        self._sums[name][1] += 1
