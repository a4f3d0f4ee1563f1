"""The Bento holds exactly the modules of the project that the service imports."""

import subprocess
import sys
from pathlib import Path

import yaml

ROOT = Path(__file__).resolve().parents[2]
PROGRAM = """
import sys
import service
import highlighter.inference.summarizer
import highlighter.system.cpu
import highlighter.system.memory
for name, module in sorted(sys.modules.items()):
    if name.partition(".")[0] in {"service", "serving", "highlighter"}:
        print(module.__file__)
"""


def test_bento_includes_every_imported_module() -> None:
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM], cwd=ROOT, capture_output=True, text=True, check=True
    )
    imported = {str(Path(line).relative_to(ROOT)) for line in done.stdout.split()}
    listed = yaml.safe_load((ROOT / "bentofile.yaml").read_text(encoding="utf-8"))["include"]
    assert imported == {name for name in listed if name.endswith(".py")}
    assert set(listed) - imported == {
        "configs/serving.yaml",
        *(str(file.relative_to(ROOT)) for file in (ROOT / "serving" / "page").iterdir()),
    }
