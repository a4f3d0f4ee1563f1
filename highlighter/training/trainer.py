"""transformers' trainer for two losses: the summary's and the salience head's."""

from collections import defaultdict
from collections.abc import Iterator
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
from highlighter.model.model import HighlightModel
from highlighter.settings import TrainingSettings
from highlighter.training.resume import Progress

_LOSSES = ("summary_loss", "salience_loss")


class ValidateAtEnd(TrainerCallback):
    """Validate the last step too, even if it is off the validation interval."""

    def on_step_end(
        self,
        args: TrainingArguments,
        state: TrainerState,
        control: TrainerControl,
        **kwargs: Any,
    ) -> None:
        """Request a validation after the last step."""
        if state.global_step >= state.max_steps:
            control.should_evaluate = True


def count_labels(batch: Batch) -> torch.Tensor:
    """Return the numbers of labeled target tokens and of labeled segments, (2,)."""
    return torch.stack([(batch[name] != IGNORED).sum() for name in ("labels", "salience_labels")])


class HighlightTrainer(Seq2SeqTrainer):
    """Minimize the weighted sum of both losses, and log each of them.

    Each loss is a mean over all labels of an optimizer step. So the result does not depend on how
    the rows of a step are divided into accumulated batches or among processes.
    """

    model: HighlightModel
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
        # `compute_loss` returns summands of the step's loss, which must not be averaged again.
        self.model_accepts_loss_kwargs = False
        self.loss_is_scaled_for_ga = True
        # Sums since the last log entry stay on the device: reading them would make each step wait
        # for the GPU.
        self._step_losses = torch.zeros((), device=self.args.device)
        self._logged_step = 0
        self._sums: dict[str, torch.Tensor] = {}  # by prefix of the log entry

    def get_batch_samples(
        self, epoch_iterator: Iterator[Batch], num_batches: int, device: torch.device
    ) -> tuple[list[Batch], torch.Tensor | None]:
        """Return the batches of an optimizer step, and `count_labels` of them in all processes."""
        batches, _ = super().get_batch_samples(epoch_iterator, num_batches, device)
        if not batches:
            return batches, None
        counts = torch.stack([count_labels(batch) for batch in batches]).sum(dim=0)
        return batches, self.accelerator.reduce(counts.to(device), "sum")

    def compute_loss(
        self,
        model: HighlightModel,
        inputs: Batch,
        return_outputs: bool = False,
        num_items_in_batch: torch.Tensor | None = None,
    ) -> Any:
        """Return the weighted sum of both losses of a batch.

        Args:
            model: the model, possibly wrapped for several processes.
            inputs: a batch of `WindowCollator`.
            return_outputs: return the logits too.
            num_items_in_batch: labels of the optimizer step, as `get_batch_samples` counts them;
                the result is then the batch's share of the step's loss. None in validation.
        """
        if not self._settings.summary_weight:  # skip the decoder
            inputs = inputs | {name: inputs[name][:0] for name in ("labels", "summary_rows")}
        output = model(**inputs)
        means = torch.stack([output.summary_loss, output.salience_loss])
        shares = count_labels(inputs)
        if num_items_in_batch is None:
            self._observe("eval_", means, shares)
            loss = (self._weights * means).sum()
        else:
            shares = shares / num_items_in_batch.clamp(min=1)
            self._observe("", means, shares)
            # Gradients are averaged over the processes, but the losses are summands.
            loss = (self._weights * shares * self.args.world_size * means).sum()
            self._step_losses += loss.detach()
        return (loss, {"logits": output.logits}) if return_outputs else loss

    def create_optimizer(self, *args: Any, **kwargs: Any) -> torch.optim.Optimizer:
        """Return the configured optimizer; the salience head has its own learning rate."""
        if self.optimizer is None:
            decayed = set(self.get_decay_parameter_names(self.model))
            groups: dict[tuple[bool, bool], list[torch.nn.Parameter]] = defaultdict(list)
            for name, weight in self.model.named_parameters():
                if not weight.requires_grad:
                    continue
                # The projection of the encoder states starts at zero and learns as the encoder, if
                # that learns.
                head = self._settings.frozen or (
                    name.startswith("salience.") and not name.startswith("salience.states.")
                )
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
        """Return a data loader that reads every window and draws nothing at random."""
        training_collator: WindowCollator = self.data_collator
        self.data_collator = self._validation_collator
        try:
            return super().get_eval_dataloader(eval_dataset)
        finally:
            self.data_collator = training_collator

    def prediction_step(
        self,
        model: HighlightModel,
        inputs: Batch,
        prediction_loss_only: bool,
        ignore_keys: list[str] | None = None,
        **kwargs: Any,
    ) -> tuple[Any, Any, Any]:
        """Return the loss over all windows, and if requested generated summaries and labels."""
        inputs = {name: tensor.to(self.args.device) for name, tensor in inputs.items()}
        with torch.no_grad():
            loss = self.compute_loss(model, self._without_repeated(inputs)).detach()
        if prediction_loss_only or not self.args.predict_with_generate:
            return loss, None, None
        rows = inputs["summary_rows"]
        with self.accelerator.autocast():
            generated = self.model.seq2seq.generate(
                input_ids=inputs["input_ids"][rows],
                attention_mask=inputs["attention_mask"][rows],
                max_new_tokens=self.args.generation_max_length,
                num_beams=self.args.generation_num_beams,
                do_sample=False,
            )
        return loss, generated, inputs["labels"]

    def floating_point_ops(self, inputs: Batch) -> int:
        """Return 0: transformers' formula does not hold for rows that skip the decoder."""
        return 0

    def evaluation_loop(self, *args: Any, **kwargs: Any) -> EvalLoopOutput:
        """Return the losses of the split; transformers would average those of its batches."""
        output: EvalLoopOutput = super().evaluation_loop(*args, **kwargs)
        means = self._pop_means("eval_")
        output.metrics.update(means)
        output.metrics["eval_loss"] = self._settings.summary_weight * means.get(
            "eval_summary_loss", 0.0
        ) + self._settings.salience_weight * means.get("eval_salience_loss", 0.0)
        return output

    def log(self, logs: dict[str, float], start_time: float | None = None) -> None:
        """Log the entry; one of training with the mean losses since the one before."""
        if "loss" in logs:
            total = self.accelerator.reduce(self._step_losses, "mean").item()
            logs["loss"] = total / (self.state.global_step - self._logged_step)
            logs |= self._pop_means("")
            self._step_losses.zero_()
            self._logged_step = self.state.global_step
        super().log(logs, start_time)

    def unlogged(self) -> dict[str, Any]:
        """Return the sums of the next log entry, as fields of `Progress`."""
        return {
            "last_logged_step": self._logged_step,
            "loss": self._step_losses.item(),
            "losses": dict(zip(_LOSSES, self._seen("").tolist(), strict=True)),
        }

    def restore_unlogged(self, progress: Progress) -> None:
        """Restore what `unlogged` returned."""
        self._logged_step = progress.last_logged_step
        self._step_losses.fill_(progress.loss)
        losses = [progress.losses[name] for name in _LOSSES]
        self._sums[""] = torch.tensor(losses, dtype=torch.float64, device=self.args.device)

    def _without_repeated(self, inputs: Batch) -> Batch:
        """Return the batch without the labels of rows that another process validates too.

        accelerate fills up the last batches with the first rows if the rows do not divide evenly
        among the processes. The first window of a row is the one with its summary.
        """
        state = self.accelerator.gradient_state
        if self.args.world_size == 1 or not state.end_of_dataloader or state.remainder <= 0:
            return inputs
        before = self.args.process_index * self.args.per_device_eval_batch_size
        own = max(0, state.remainder - before)
        salience_labels, first = inputs["salience_labels"], inputs["summary_rows"]
        row = (
            torch.zeros_like(salience_labels[:, 0]).index_fill(0, first, 1).cumsum(dim=0)
        )  # from 1
        return inputs | {
            "labels": inputs["labels"][:own],
            "summary_rows": first[:own],
            "salience_labels": salience_labels.masked_fill((row > own).unsqueeze(1), IGNORED),
        }

    def _observe(self, prefix: str, means: torch.Tensor, weights: torch.Tensor) -> None:
        seen = torch.stack([means.detach() * weights, weights], dim=1)
        self._sums[prefix] = self._seen(prefix) + seen

    def _seen(self, prefix: str) -> torch.Tensor:
        """Return the weighted sum and the sum of weights of each loss, (2, 2), in float64."""
        zeros = torch.zeros(len(_LOSSES), 2, dtype=torch.float64, device=self.args.device)
        return self._sums.get(prefix, zeros)

    def _pop_means(self, prefix: str) -> dict[str, float]:
        """Return weighted means over all processes, and reset the sums."""
        totals = self.accelerator.reduce(self._seen(prefix), "sum").tolist()
        self._sums.pop(prefix, None)
        return {
            prefix + name: total / weight
            for name, (total, weight) in zip(_LOSSES, totals, strict=True)
            if weight
        }
