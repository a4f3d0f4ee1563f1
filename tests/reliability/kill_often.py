"""Kill the pipeline at random moments: python -m tests.reliability.kill_often --kills 20 --seed 1

After each kill, everything in the stores must be complete; the next run must complete and leave
nothing open. The moments are spread over the duration of a run. Every fourth run starts with empty
stores, so that their creation is killed too.
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
        project = make_project(Path(folder, "first"))
        first = Run(project)
        assert first.end() == 0, first.output
        seconds = time.monotonic() - first.started
        check_at_rest(project)
        print(f"an uninterrupted run takes {seconds:.0f} s", flush=True)
        moments = [
            seconds * (kill + draw.random()) / options.kills for kill in range(options.kills)
        ]
        draw.shuffle(moments)
        for number, moment in enumerate(moments):
            if number % 4 == 3:
                project = make_project(Path(folder, f"fresh-{number}"))
            # A new seed: no step has a stored result yet.
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
    print(f"{options.kills} of {options.kills}: stores complete after the kill, next run completed")


if __name__ == "__main__":
    main()
