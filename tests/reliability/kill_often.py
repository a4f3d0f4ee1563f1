"""Kill the pipeline at drawn moments: python -m tests.reliability.kill_often --kills 20 --seed 1

After each kill what is in the stores must be whole; the next run must complete, and leave nothing
open. The moments are spread over the length of a whole run; every fourth run starts with empty
stores, whose creation can be killed too.
"""

import argparse
import random
import tempfile
import time
from pathlib import Path

from tests.reliability.harness import Run, make_project
from tests.reliability.stores import check_at_rest, check_stores, killed_runs


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    draw = random.Random(options.seed)
    with tempfile.TemporaryDirectory(prefix="kill-often-") as folder:
        project = make_project(Path(folder, "whole"))
        whole = Run(project)
        assert whole.end() == 0, whole.output
        seconds = time.monotonic() - whole.started
        check_at_rest(project)
        print(f"a whole run takes {seconds:.0f} s", flush=True)
        moments = [
            seconds * (kill + draw.random()) / options.kills for kill in range(options.kills)
        ]
        draw.shuffle(moments)
        for number, moment in enumerate(moments):
            if number % 4 == 3:
                project = make_project(Path(folder, f"fresh-{number}"))
            # Another seed: no step's result is stored yet.
            run = Run(project, "--set", f"parameters.seed={100 + number}")
            time.sleep(moment)
            alive = run.kill()
            check_stores(project)
            again = Run(project, "--set", f"parameters.seed={100 + number}")
            assert again.end() == 0, again.output
            check_at_rest(project)
            print(
                f"{number + 1:>2}: {'killed' if alive else 'ended before'} at {moment:5.1f} s in "
                f"{run.step:<9}  the next took {time.monotonic() - again.started:5.1f} s, "
                f"{len(again.stored)} steps stored; killed runs in MLflow: "
                f"{len(killed_runs(project))}",
                flush=True,
            )
    print(f"{options.kills} of {options.kills}: whole after the kill, completed by the next run")


if __name__ == "__main__":
    main()
