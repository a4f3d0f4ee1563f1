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
from transformers.trainer_utils import EvalLoopOutput

from highlighter.data.collator import IGNORED, Batch, WindowCollator
from highlighter.model.model import T5ForHighlighting
from highlighter.settings import TrainingSettings
from highlighter.training.resume import Progress

_LOSSES = ("summary_loss", "salience_loss")


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


def count_labels(batch: Batch) -> torch.Tensor:
    """How many tokens to write, and how many segments, have a label."""
    return torch.stack([(batch[name] != IGNORED).sum() for name in ("labels", "salience_labels")])


class HighlightTrainer(Seq2SeqTrainer):
    """Optimizes the weighted sum of both losses and logs each of them.

    Each loss is a mean over all labels of an optimizer step, so that it does not matter how the
    step's rows are divided: into accumulated batches, or among processes.
    """

    data_collator: WindowCollator
    optimizer: torch.optim.Optimizer | None

    def __init__(
        self, *, settings: TrainingSettings, validation_collator: WindowCollator, **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        self._settings = settings
        self._validation_collator = validation_collator
        self._weights = torch.tensor(
            [settings.summary_weight, settings.salience_weight], device=self.args.device
        )
        # The losses that `compute_loss` gives add up to the step's: don't divide them again.
        self.model_accepts_loss_kwargs = False
        self.loss_is_scaled_for_ga = True
        # Of each loss the sum and its weight, by prefix; kept where they come about, for asking a
        # GPU for them would have it wait in every step.
        self._sums: dict[str, torch.Tensor] = {}

    def _get_num_items_in_batch(
        self, batch_samples: list[Batch], device: torch.device
    ) -> torch.Tensor | None:
        """Labels of all batches of an optimizer step, in all processes."""
        if not batch_samples:
            return None
        counts = torch.stack([count_labels(batch) for batch in batch_samples]).sum(dim=0)
        total: torch.Tensor = self.accelerator.reduce(counts.to(device), "sum")
        return total

    def compute_loss(
        self,
        model: T5ForHighlighting,
        inputs: Batch,
        return_outputs: bool = False,
        num_items_in_batch: torch.Tensor | None = None,
    ) -> Any:
        """The weighted sum for one batch: its part of the step's loss, if the step's labels are
        counted."""
        if not self._settings.summary_weight:  # spare the decoder's work
            inputs = inputs | {"labels": torch.full_like(inputs["labels"], IGNORED)}
        summary, salience, output = model(**inputs)
        means, shares = torch.stack([summary, salience]), count_labels(inputs)
        if num_items_in_batch is None:
            self._observe("eval_", means, shares)
            loss = (self._weights * means).sum()
        else:
            shares = shares / num_items_in_batch.clamp(min=1)
            self._observe("", means, shares)
            # Gradients are averaged over the processes, and a sum is wanted.
            loss = (self._weights * shares * self.args.world_size * means).sum()
        return (loss, {"logits": output.logits}) if return_outputs else loss

    def create_optimizer(self, *args: Any, **kwargs: Any) -> torch.optim.Optimizer:
        """The configured optimizer; the salience head's own layers learn at their own rate."""
        if self.optimizer is None:
            decayed = set(self.get_decay_parameter_names(self.model))
            groups: dict[tuple[bool, bool], list[torch.nn.Parameter]] = defaultdict(list)
            for name, weight in self.model.named_parameters():
                if not weight.requires_grad:
                    continue
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
            loss = self.compute_loss(model, self._without_repeated(inputs)).detach()
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

    def evaluation_loop(self, *args: Any, **kwargs: Any) -> EvalLoopOutput:
        """With the losses of the whole split, where transformers' own average those of batches."""
        output: EvalLoopOutput = super().evaluation_loop(*args, **kwargs)
        means = self._pop_means("eval_")
        output.metrics.update(means)
        output.metrics["eval_loss"] = self._settings.summary_weight * means.get(
            "eval_summary_loss", 0.0
        ) + self._settings.salience_weight * means.get("eval_salience_loss", 0.0)
        return output

    def log(self, logs: dict[str, float], start_time: float | None = None) -> None:
        """Add the means of both losses since they were last logged."""
        if "loss" in logs:
            logs |= self._pop_means("")
        super().log(logs, start_time)

    def unlogged(self) -> dict[str, Any]:
        """What the next log entry will be made of, as fields of Progress."""
        return {
            "last_logged_step": self._globalstep_last_logged,
            "loss": self._tr_loss.item(),
            "losses": dict(zip(_LOSSES, self._seen("").tolist(), strict=True)),
        }

    def restore_unlogged(self, progress: Progress) -> None:
        """Go on from what `unlogged` said."""
        self._globalstep_last_logged = progress.last_logged_step
        self._tr_loss += progress.loss
        losses = [progress.losses[name] for name in _LOSSES]
        self._sums[""] = torch.tensor(losses, dtype=torch.float64, device=self.args.device)

    def _without_repeated(self, inputs: Batch) -> Batch:
        """The batch, without the labels of rows that another process has too.

        Where the rows don't divide evenly, accelerate fills the last batches with rows from the
        start. A row's first window is the one that has its summary's labels.
        """
        state = self.accelerator.gradient_state
        if self.args.world_size == 1 or not state.end_of_dataloader or state.remainder <= 0:
            return inputs
        own = state.remainder - self.args.process_index * self.args.per_device_eval_batch_size
        row = (inputs["labels"] != IGNORED).any(dim=1).cumsum(dim=0)  # from 1
        repeated = (row > own).unsqueeze(1)
        return inputs | {
            name: inputs[name].masked_fill(repeated, IGNORED)
            for name in ("labels", "salience_labels")
        }

    def _observe(self, prefix: str, means: torch.Tensor, weights: torch.Tensor) -> None:
        seen = torch.stack([means.detach() * weights, weights], dim=1)
        self._sums[prefix] = self._seen(prefix) + seen

    def _seen(self, prefix: str) -> torch.Tensor:
        """Of each loss the weighted sum and the weight since they were last asked for, (2, 2)."""
        nothing = torch.zeros(len(_LOSSES), 2, dtype=torch.float64, device=self.args.device)
        return self._sums.get(prefix, nothing)

    def _pop_means(self, prefix: str) -> dict[str, float]:
        """Weighted means, over all processes, of what was observed since the last call."""
        totals = self.accelerator.reduce(self._seen(prefix), "sum").tolist()
        self._sums.pop(prefix, None)
        return {
            prefix + name: total / weight
            for name, (total, weight) in zip(_LOSSES, totals, strict=True)
            if weight
        }
