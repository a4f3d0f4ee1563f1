"""Muon: an optimizer of matrices that makes every direction of a step equally long.

Jordan et al. 2024 (kellerjordan.github.io/posts/muon), with the step length of Liu et al. 2025
(arXiv:2502.16982). torch.optim.Muon is the same in bfloat16, which CPUs without such instructions
compute hundreds of times slower than this.
"""

from collections import defaultdict
from collections.abc import Iterable

import torch
from torch import Tensor

_QUINTIC = (3.4445, -4.7750, 2.0315)
_ITERATIONS = 5
_RMS = 0.2  # of a step, as AdamW's steps have it: both then learn at like rates


class Muon(torch.optim.Optimizer):
    """Nesterov momentum, made orthogonal; for weights of two dimensions only."""

    def __init__(self, parameters: Iterable[Tensor], lr: float, momentum: float = 0.95) -> None:
        super().__init__(parameters, {"lr": lr, "momentum": momentum})

    @torch.no_grad()
    def step(self, closure: None = None) -> None:  # type: ignore[override]
        """Move every weight that has a gradient."""
        for group in self.param_groups:
            alike: dict[torch.Size, list[tuple[Tensor, Tensor]]] = defaultdict(list)
            for weight in group["params"]:
                if weight.grad is None:
                    continue
                state = self.state[weight]
                if "momentum" not in state:
                    state["momentum"] = torch.zeros_like(weight)
                state["momentum"].mul_(group["momentum"]).add_(weight.grad)
                step = weight.grad.add(state["momentum"], alpha=group["momentum"])
                alike[weight.shape].append((weight, step))
            for shape, pairs in alike.items():
                steps = orthogonalize(torch.stack([step for _, step in pairs]))
                length = _RMS * max(shape) ** 0.5
                for (weight, _), step in zip(pairs, steps, strict=True):
                    weight.add_(step, alpha=-group["lr"] * length)


def orthogonalize(matrices: Tensor) -> Tensor:
    """Matrices of (number, rows, columns) with all singular values near 1, by Newton-Schulz."""
    tall = matrices.size(1) > matrices.size(2)
    x = matrices.mT if tall else matrices
    x = x / (x.norm(dim=(1, 2), keepdim=True) + 1e-7)
    first, second, third = _QUINTIC
    for _ in range(_ITERATIONS):
        gram = x @ x.mT
        x = first * x + (second * gram + third * gram @ gram) @ x
    made: Tensor = x.mT if tall else x
    return made
