"""How many threads a model computes with."""

import torch

from highlighter.cores import usable_cores


def keep_to_usable_cores() -> None:
    """Let torch have no more threads than cores that this process can keep busy.

    Left to itself it takes one a core of the machine. In a container with a smaller quota they use
    it up at once, and all of them wait for the next.
    """
    torch.set_num_threads(min(torch.get_num_threads(), usable_cores()))
