"""The service people would otherwise write: transformers' `generate`, one request at a time.

Full precision, inputs padded to 512 tokens, 2 beams, at most 150 tokens; all else as the libraries
have it. It has as many threads as there are cores, and the GPU if there is one.
"""

import argparse
import asyncio
import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import torch
import uvicorn
from fastapi import FastAPI
from pydantic import BaseModel
from transformers import AutoTokenizer, GenerationConfig, T5ForConditionalGeneration

_PREFIX = "summarize: "
_SOURCE_TOKENS = 512


class SummarizeRequest(BaseModel):
    """The article's text."""

    article: str


class SummarizeResponse(BaseModel):
    """What the model writes."""

    summary: str


class Baseline:
    """T5 as it is loaded by default."""

    def __init__(self, checkpoint: Path) -> None:
        self._tokenizer = AutoTokenizer.from_pretrained(checkpoint)
        device = "cuda" if torch.cuda.is_available() else "cpu"
        model = T5ForConditionalGeneration.from_pretrained(checkpoint, dtype=torch.float32)
        self._model = model.to(device).eval()
        # The checkpoint's own settings of generation are the service's.
        self._model.generation_config = GenerationConfig(
            num_beams=2,
            max_length=150,
            pad_token_id=model.config.pad_token_id,
            eos_token_id=model.config.eos_token_id,
            decoder_start_token_id=model.config.decoder_start_token_id,
        )

    @torch.inference_mode()
    def summarize(self, article: str) -> str:
        """The model's summary of the first 512 tokens."""
        inputs = self._tokenizer(
            _PREFIX + article,
            max_length=_SOURCE_TOKENS,
            padding="max_length",
            truncation=True,
            return_tensors="pt",
        ).to(self._model.device)
        [ids] = self._model.generate(
            input_ids=inputs["input_ids"], attention_mask=inputs["attention_mask"]
        )
        summary: str = self._tokenizer.decode(ids, skip_special_tokens=True)
        return summary


def create_app(checkpoint: Path) -> FastAPI:
    """The service of a checkpoint folder; it answers when the model is loaded."""
    baseline = Baseline(checkpoint)
    one_at_a_time = ThreadPoolExecutor(max_workers=1)
    app = FastAPI(title="Baseline")

    @app.get("/readyz")
    def readyz() -> None:
        """The model is loaded before the first request is taken."""

    @app.post("/summarize")
    async def summarize(request: SummarizeRequest) -> SummarizeResponse:
        loop = asyncio.get_running_loop()
        summary = await loop.run_in_executor(one_at_a_time, baseline.summarize, request.article)
        return SummarizeResponse(summary=summary)

    return app


def main() -> None:
    """Serve on 127.0.0.1 until SIGTERM."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.baseline", description=__doc__)
    parser.add_argument("--checkpoint", type=Path, required=True, help="folder of the weights")
    parser.add_argument("--port", type=int, default=8000)
    options = parser.parse_args()
    torch.set_num_threads(len(os.sched_getaffinity(0)))
    app = create_app(options.checkpoint)
    uvicorn.run(app, host="127.0.0.1", port=options.port, access_log=False)


if __name__ == "__main__":
    main()
