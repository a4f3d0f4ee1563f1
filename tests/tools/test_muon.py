"""Muon: steps of equal length in every direction, and a state that is all there is."""

import torch
from torch import nn

from tools.pretraining.loop import Muon, orthogonalize


def test_singular_values_become_alike_and_directions_stay() -> None:
    torch.manual_seed(0)
    for shape in ((3, 8, 8), (2, 24, 8), (2, 8, 24)):
        matrices = torch.randn(shape) @ torch.diag(torch.logspace(-1, 1, shape[-1]))
        made = orthogonalize(matrices)
        assert made.shape == matrices.shape
        left, _, right = torch.linalg.svd(matrices, full_matrices=False)
        # In the matrix's own singular bases, what was made is nearly the identity.
        turned = left.mT @ made @ right.mT
        values = turned.diagonal(dim1=1, dim2=2)
        assert values.min() > 0.3
        assert values.max() < 1.3
        assert (turned - torch.diag_embed(values)).abs().max() < 1e-3


def test_a_step_is_as_long_as_adamws_whatever_the_gradient() -> None:
    for scale in (1e-4, 1e4):
        weight = nn.Parameter(torch.zeros(16, 64))
        weight.grad = scale * torch.randn(16, 64, generator=torch.Generator().manual_seed(1))
        Muon([weight], lr=0.5).step()
        rms = float(weight.detach().pow(2).mean().sqrt())
        assert 0.5 * 0.2 * 0.7 < rms < 0.5 * 0.2 * 1.2


def test_it_finds_a_map_that_stretches_directions_unlike() -> None:
    torch.manual_seed(0)
    wanted = torch.diag(torch.logspace(-2, 1, 8))
    weight = nn.Parameter(torch.zeros(8, 8))
    optimizer = Muon([weight], lr=0.2)
    for step in range(400):
        loss = (weight - wanted).pow(2).sum()
        weight.grad = torch.autograd.grad(loss, weight)[0]
        optimizer.param_groups[0]["lr"] = 0.2 * (1 - step / 400)
        optimizer.step()
    assert (weight - wanted).abs().max() < 0.05
