"""A server with a child in a session of its own, as BentoML's workers are. Prints both pids.

`--deaf`: it does not heed SIGTERM.
"""

import argparse
import os
import signal
import subprocess
import sys
from http.server import BaseHTTPRequestHandler, HTTPServer


class _Ready(BaseHTTPRequestHandler):
    def do_GET(self) -> None:  # noqa: N802
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_arguments: object) -> None:
        """The output is the pids alone."""


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--deaf", action="store_true")
    options = parser.parse_args()
    child = subprocess.Popen(["sleep", "600"], start_new_session=True)
    if options.deaf:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
    print(os.getpid(), child.pid, flush=True)
    HTTPServer(("127.0.0.1", options.port), _Ready).serve_forever()


if __name__ == "__main__":
    sys.exit(main())
