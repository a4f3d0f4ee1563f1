"""How a command ends."""

import sys
from collections.abc import Callable

from highlighter.errors import HighlighterError


def exit_code_of(command: Callable[[], None], interrupted: str) -> int:
    """Run it: 0 done, 1 an error that was explained, 130 Ctrl-C.

    Args:
        interrupted: what Ctrl-C has left, for the user.
    """
    try:
        command()
    except HighlighterError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print(f"\n{interrupted}", file=sys.stderr)
        return 130
    return 0
