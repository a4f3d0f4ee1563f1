"""The opponent of `benchmarks.serving`: FastAPI around transformers' `generate`.

Full precision, one request at a time, inputs padded to 512 tokens, 2 beams, at most 150 tokens; as
many threads as there are cores, or the GPU if there is one.
"""

import argparse
import asyncio
import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import torch
import uvicorn
from fastapi import FastAPI
from pydantic import BaseModel
from transformers import AutoModelForSeq2SeqLM, AutoTokenizer, GenerationConfig


class SummarizeRequest(BaseModel):
    """The article's text."""

    article: str


class SummarizeResponse(BaseModel):
    """The text that the model generated."""

    summary: str


def load_generator(checkpoint: Path) -> Callable[[str], str]:
    """Return a function that summarizes the first 512 tokens of an article."""
    tokenizer = AutoTokenizer.from_pretrained(checkpoint)
    device = "cuda" if torch.cuda.is_available() else "cpu"
    model = AutoModelForSeq2SeqLM.from_pretrained(checkpoint, dtype=torch.float32).to(device).eval()
    # The checkpoint's own generation settings are the service's.
    model.generation_config = GenerationConfig(
        num_beams=2,
        max_length=150,
        pad_token_id=model.config.pad_token_id,
        eos_token_id=model.config.eos_token_id,
        decoder_start_token_id=model.config.decoder_start_token_id,
    )

    @torch.inference_mode()
    def summarize(article: str) -> str:
        inputs = tokenizer(
            f"summarize: {article}", max_length=512, padding="max_length", truncation=True,
            return_tensors="pt",
        ).to(device)  # fmt: skip
        ids = model.generate(input_ids=inputs["input_ids"], attention_mask=inputs["attention_mask"])
        summary: str = tokenizer.decode(ids[0], skip_special_tokens=True)
        return summary

    return summarize


def create_app(checkpoint: Path) -> FastAPI:
    """Return the service of a checkpoint folder, with the model loaded."""
    generate = load_generator(checkpoint)
    one_at_a_time = ThreadPoolExecutor(max_workers=1)
    app = FastAPI(title="Baseline")

    @app.get("/readyz")
    def readyz() -> None:
        """Answer with 200; the model is loaded before the server starts."""

    @app.post("/summarize")
    async def summarize(request: SummarizeRequest) -> SummarizeResponse:
        loop = asyncio.get_running_loop()
        summary = await loop.run_in_executor(one_at_a_time, generate, request.article)
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
