"""Fine-tune a model on tokenized articles."""

from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace
from pathlib import Path

import datasets
import numpy as np
import torch
from transformers import (
    EarlyStoppingCallback,
    EvalPrediction,
    PreTrainedTokenizerBase,
    Seq2SeqTrainer,
    Seq2SeqTrainingArguments,
    TrainerCallback,
    set_seed,
)

from highlighter.data.collator import Draws, WindowCollator
from highlighter.data.windows import encode_prefix
from highlighter.metrics.rouge import score_rouge
from highlighter.model.build import LowRankUpdates
from highlighter.model.families import fit_text
from highlighter.model.model import HighlightModel
from highlighter.model.tokenizer import decode
from highlighter.settings import TextSettings, TrainingSettings
from highlighter.training.dropout import quick_dropout
from highlighter.training.memory import check_memory
from highlighter.training.report import CURVES, TrainingReport
from highlighter.training.resume import Progress, train_or_resume
from highlighter.training.trainer import HighlightTrainer, ValidateAtEnd


def choose_precision(precision: str, device: torch.device) -> str:
    """Return "bf16" or "fp32" for the setting `training.precision`.

    `auto` is bf16 if the hardware has it: torch's emulation on a CPU is hundreds of times slower.
    fp16 is no choice because T5's activations overflow it.
    """
    if precision != "auto":
        return precision
    if device.type == "cuda":
        return "bf16" if torch.cuda.is_bf16_supported(including_emulation=False) else "fp32"
    if device.type == "cpu":
        features = torch.cpu.get_capabilities()
        return "bf16" if features.get("avx512_bf16") or features.get("amx_bf16") else "fp32"
    return "fp32"


def train(
    model: HighlightModel,
    tokenizer: PreTrainedTokenizerBase,
    features: datasets.DatasetDict,
    *,
    text: TextSettings,
    settings: TrainingSettings,
    seed: int,
    work_folder: Path,
    callbacks: list[TrainerCallback],
) -> TrainingReport:
    """Train a model in place; it ends with the best validated weights.

    Args:
        model: the model.
        tokenizer: its tokenizer.
        features: tokenized rows of the splits `train` and `validation`, see `tokenize_splits`.
        text: prefix and lengths.
        settings: the settings of the training.
        seed: seed of the order of the rows, of the windows drawn, and of dropout.
        work_folder: folder of the checkpoints. A call with the same arguments that was interrupted
            is resumed from them.
        callbacks: further callbacks of the trainer.

    Raises:
        CheckpointError: the model has too few positions for the lengths.
        TrainingError: the memory does not suffice.
    """
    text = fit_text(text, model.config)
    arguments = _arguments(settings, len(features["train"]), text, seed, work_folder)
    validation = features["validation"]
    if settings.validation_rows is not None:
        validation = validation.select(range(min(settings.validation_rows, len(validation))))
    if settings.early_stopping_patience is not None:
        callbacks = [*callbacks, EarlyStoppingCallback(settings.early_stopping_patience)]
    updates = LowRankUpdates(model, settings.lora) if settings.lora else None
    if settings.frozen:
        model.seq2seq.requires_grad_(False)
    precision = "bf16" if arguments.bf16 else "fp32"
    check_memory(
        model,
        features["train"],
        text=text,
        settings=settings,
        device=arguments.device,
        precision=precision,
    )
    collator = WindowCollator(
        text=text,
        prefix=encode_prefix(tokenizer, text),
        pad=tokenizer.pad_token_id,
        end=tokenizer.eos_token_id,
        reading_windows=settings.reading_windows if settings.salience_weight else 0,
        shuffle=True,
        draws=Draws(seed),
    )
    trainer = HighlightTrainer(
        settings=settings,
        validation_collator=replace(collator, shuffle=False),
        model=model,
        args=arguments,
        train_dataset=features["train"],
        eval_dataset=validation,
        processing_class=tokenizer,
        data_collator=collator,
        compute_metrics=_rouge_of(tokenizer) if arguments.predict_with_generate else None,
        callbacks=[ValidateAtEnd(), *callbacks],
    )
    if arguments.process_index:  # each process draws its own dropout
        set_seed(seed + arguments.process_index)
    decoder = model.seq2seq.get_decoder()
    if settings.gradient_checkpointing:
        model.seq2seq.activation_checkpointing_enable()
        decoder.config.use_cache = False
    with _dropout(model, arguments):
        progress = train_or_resume(trainer, settings.checkpoint_minutes)
    model.seq2seq.activation_checkpointing_disable()
    decoder.config.use_cache = True
    trainer.accelerator.unwrap_model(model, keep_fp32_wrapper=False)  # ends mixed precision
    if updates:
        updates.merge()
    model.requires_grad_(True)
    return _report(trainer, settings, progress)


def _arguments(
    settings: TrainingSettings, rows: int, text: TextSettings, seed: int, work_folder: Path
) -> Seq2SeqTrainingArguments:
    rows_per_step = settings.batch_size * settings.gradient_accumulation_steps * settings.processes
    steps = settings.max_steps or max(1, round(settings.epochs * -(-rows // rows_per_step)))
    interval = -(-steps // settings.evaluations)
    use_cpu = settings.device == "cpu" or not torch.cuda.is_available()
    device = torch.device("cpu" if use_cpu else "cuda")
    workers = settings.batch_workers
    if workers is None:  # a GPU would wait for batches; a CPU's cores are busy with the model
        workers = 0 if use_cpu else 4
    by_rouge = settings.selection_metric == "rougeLsum"
    return Seq2SeqTrainingArguments(
        output_dir=str(work_folder),
        max_steps=steps,
        per_device_train_batch_size=settings.batch_size,
        per_device_eval_batch_size=settings.evaluation_batch_size,
        gradient_accumulation_steps=settings.gradient_accumulation_steps,
        learning_rate=settings.learning_rate,
        lr_scheduler_type=settings.schedule,
        warmup_steps=settings.warmup_steps,
        optim=settings.optimizer,
        weight_decay=settings.weight_decay,
        max_grad_norm=settings.max_gradient_norm,
        bf16=choose_precision(settings.precision, device) == "bf16",
        use_cpu=use_cpu,
        dataloader_num_workers=workers,
        dataloader_pin_memory=not use_cpu,
        seed=seed,
        data_seed=seed,
        logging_strategy="steps",
        logging_steps=settings.logging_steps,
        logging_first_step=True,
        logging_nan_inf_filter=False,  # it waits for the GPU at every step
        eval_strategy="steps",
        eval_steps=interval,
        save_strategy="steps",
        save_steps=interval,
        save_total_limit=3,  # the best, the last, and one more in case the last is damaged
        restore_callback_states_from_checkpoint=True,
        load_best_model_at_end=True,
        metric_for_best_model="rougeLsum" if by_rouge else "loss",
        greater_is_better=by_rouge,
        predict_with_generate=by_rouge,
        # Checkpoints are compared by greedy summaries, because beam search is slower.
        generation_max_length=text.max_target_tokens,
        generation_num_beams=1,
        remove_unused_columns=False,
        ddp_find_unused_parameters=not settings.summary_weight,  # without it the decoder is idle
        report_to=[],
    )


def _dropout(
    model: HighlightModel, arguments: Seq2SeqTrainingArguments
) -> AbstractContextManager[None]:
    # It is only faster where there is dropout. BART and PEGASUS don't use nn.Dropout; LongT5 has an
    # attention of its own.
    is_faster = getattr(model.config, "dropout_rate", 0) and model.config.model_type != "longt5"
    on_cpu = arguments.device.type == "cpu"
    return quick_dropout(model.seq2seq) if on_cpu and is_faster else nullcontext()


def _rouge_of(tokenizer: PreTrainedTokenizerBase):  # type: ignore[no-untyped-def]
    def compute(prediction: EvalPrediction) -> dict[str, float]:
        # Padding is -100, which tokenizers cannot decode.
        texts = [
            [decode(tokenizer, row) for row in np.where(ids < 0, tokenizer.pad_token_id, ids)]
            for ids in (prediction.predictions, prediction.label_ids)
        ]
        scores = score_rouge(*texts)
        return {"rougeLsum": float(np.mean(scores["rougeLsum"]))}

    return compute


def _report(
    trainer: Seq2SeqTrainer, settings: TrainingSettings, progress: Progress
) -> TrainingReport:
    state, arguments = trainer.state, trainer.args
    curves: dict[str, list[tuple[int, float]]] = {name: [] for name in CURVES.values()}
    for entry in state.log_history:
        for key, name in CURVES.items():
            if key in entry:
                curves[name].append((entry["step"], float(entry[key])))
    best_step = state.best_global_step
    rows = state.global_step * arguments.world_size * arguments.train_batch_size
    rows *= arguments.gradient_accumulation_steps
    return TrainingReport(
        steps=state.global_step,
        best_step=best_step,
        validation_loss=dict(curves["validation/loss"])[best_step],
        seconds=progress.seconds,
        examples_per_second=rows / progress.seconds,
        parameters=sum(p.numel() for p in trainer.model.parameters()),
        precision="bf16" if arguments.bf16 else "fp32",
        device=arguments.device.type,
        stopped_early=state.global_step < state.max_steps,
        resumed_from=progress.resumed_from,
        curves={name: points for name, points in curves.items() if points},
    )
