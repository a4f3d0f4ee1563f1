"""A local server that speaks the Hugging Face hub's file API, as `huggingface_hub` uses it."""

import base64
import hashlib
import http.server
import json
import re
import socket
import struct
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

TOKEN = "hf_secretOfTheTests"
_API = re.compile(r"/api/(models|datasets)/([^/]+/[^/]+)(?:/(\w[\w-]*)(?:/([^/]+))?)?(?:/(.*))?")
_FILE = re.compile(r"/(datasets/)?([^/]+/[^/]+)/resolve/([^/]+)/(.+)")
_LFS = re.compile(r"/([^/]+/[^/]+)\.git/info/lfs/objects/batch")


@dataclass
class Repository:
    """Commits (their files, by hash), and the commit of each branch and tag."""

    commits: dict[str, dict[str, bytes]] = field(default_factory=dict)
    refs: dict[str, str] = field(default_factory=dict)
    private: bool = False
    gated: bool = False

    def commit(self, files: dict[str, bytes]) -> str:
        """Add files to the branch main; return the hash of the commit."""
        files = self.commits.get(self.refs.get("main", ""), {}) | files
        commit = hashlib.sha1(repr((len(self.commits), files)).encode()).hexdigest()
        self.commits[commit] = files
        self.refs["main"] = commit
        return commit


class Hub:
    """What the server has, and what it was asked for."""

    def __init__(self) -> None:
        self.repositories: dict[tuple[str, str], Repository] = {}
        self.objects: dict[str, bytes] = {}
        self.requests: list[tuple[str, str, str | None]] = []  # method, path, Range
        self.cut: dict[str, list[str]] = {}  # by file: how its next downloads break off
        self.down = False
        self.address = ""

    def add(self, kind: str, name: str, folder: Path, **options: bool) -> Repository:
        """Add the files of a folder as a repository; kind is "models" or "datasets"."""
        made = self.repositories[kind, name] = Repository(**options)
        files = (file for file in folder.rglob("*") if file.is_file())
        made.commit({str(file.relative_to(folder)): file.read_bytes() for file in files})
        return made

    def downloads(self, file: str) -> list[str | None]:
        """Return the ranges in which a file was downloaded, in order."""
        return [r for method, path, r in self.requests if method == "GET" and path.endswith(file)]


class _Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    hub: Hub

    def log_message(self, *_: object) -> None: ...

    def _answer(self, status: int, body: Any = b"", headers: dict[str, str] | None = None) -> None:
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        self.send_response(status)
        for key, value in ({"Content-Length": str(len(content))} | (headers or {})).items():
            self.send_header(key, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(content)

    def _refuse(self, status: int, code: str) -> None:
        self._answer(status, {"error": code}, {"X-Error-Code": code})

    def _repository(self, kind: str, name: str, *, files: bool) -> Repository | None:
        """Return a repository, or answer why it is not given."""
        found = self.hub.repositories.get((kind, name))
        token = self.headers.get("Authorization")
        allowed = token == f"Bearer {TOKEN}"
        if token is not None and not allowed:
            self._answer(401, {"error": "Invalid credentials"})
        elif found is None or (found.private and not allowed):
            self._refuse(404 if token else 401, "RepoNotFound")
        elif files and found.gated and not allowed:
            self._refuse(401, "GatedRepo")
        else:
            return found
        return None

    def _commit(self, repository: Repository, revision: str) -> str | None:
        revision = unquote(revision)
        commit = repository.refs.get(revision, revision)
        if commit in repository.commits:
            return commit
        self._refuse(404, "RevisionNotFound")
        return None

    def do_HEAD(self) -> None:
        self._get()

    def do_GET(self) -> None:
        self._get()

    def _get(self) -> None:
        path = urlsplit(self.path).path
        self.hub.requests.append((self.command, path, self.headers.get("Range")))
        if self.hub.down:
            self._answer(503)
        elif file := _FILE.fullmatch(path):
            self._send_file("datasets" if file[1] else "models", file[2], file[3], unquote(file[4]))
        elif api := _API.fullmatch(path):
            self._send_record(api)
        else:
            self._answer(404)

    def _send_record(self, api: re.Match[str]) -> None:
        kind, name, what, revision, below = api.groups()
        repository = self._repository(kind, name, files=False)
        commit = repository and self._commit(repository, revision or "main")
        if repository is None or commit is None:
            return
        files = repository.commits[commit]
        if what == "tree":
            start = f"{below}/" if below else ""
            inside = {n: f for n, f in files.items() if n.startswith(start)}
            if "recursive=true" not in self.path.lower():
                inner = {n: n[len(start) :].split("/") for n in inside}
                folders = {start + parts[0] for parts in inner.values() if len(parts) > 1}
                inside = {n: f for n, f in inside.items() if len(inner[n]) == 1}
                entries = [{"type": "directory", "path": f, "oid": f, "size": 0} for f in folders]
                self._answer(200, entries + [_entry(n, f) for n, f in inside.items()])
                return
            self._answer(200, [_entry(n, f) for n, f in inside.items()])
        else:
            siblings = [{"rfilename": file} for file in files]
            record = {"id": name, "sha": commit, "siblings": siblings, "tags": []}
            self._answer(200, record | {"private": repository.private, "gated": repository.gated})

    def _send_file(self, kind: str, name: str, revision: str, file: str) -> None:
        repository = self._repository(kind, name, files=True)
        commit = repository and self._commit(repository, revision)
        if repository is None or commit is None:
            return
        content = repository.commits[commit].get(file)
        if content is None:
            headers = {"X-Error-Code": "EntryNotFound", "X-Repo-Commit": commit}
            self._answer(404, b"", headers)
            return
        headers = {"ETag": f'"{_oid(content)}"', "X-Repo-Commit": commit, "Accept-Ranges": "bytes"}
        start = int((self.headers.get("Range") or "bytes=0-")[6:].split("-")[0])
        status, part = (206, content[start:]) if "Range" in self.headers else (200, content)
        if status == 206:
            headers["Content-Range"] = f"bytes {start}-{len(content) - 1}/{len(content)}"
        breaks = self.hub.cut.get(file)
        if not breaks or self.command == "HEAD":
            self._answer(status, part, headers)
            return
        how = breaks.pop(0)
        self.close_connection = True
        self._answer(status, part[: len(part) // 2], headers | {"Content-Length": str(len(part))})
        if how == "reset":
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self.connection.close()

    def do_PUT(self) -> None:
        content = self.rfile.read(int(self.headers["Content-Length"]))
        self.hub.objects[hashlib.sha256(content).hexdigest()] = content
        self._answer(200)

    def do_POST(self) -> None:
        content = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        path = urlsplit(self.path).path
        self.hub.requests.append(("POST", path, None))
        if path == "/api/validate-yaml":
            self._answer(200, {"errors": [], "warnings": []})
        elif self.headers.get("Authorization") != f"Bearer {TOKEN}" and "paths-info" not in path:
            self._answer(401, {"error": "Invalid credentials"})
        elif path == "/api/repos/create":
            asked = json.loads(content)
            name = "/".join(filter(None, (asked.get("organization"), asked["name"])))
            private = asked.get("private", asked.get("visibility") == "private")
            if ("models", name) in self.hub.repositories:
                self._answer(409, {"error": "exists", "url": f"{self.hub.address}/{name}"})
                return
            self.hub.repositories["models", name] = made = Repository(private=bool(private))
            made.commit({})
            self._answer(200, {"url": f"{self.hub.address}/{name}", "name": name})
        elif _LFS.fullmatch(path):
            objects = json.loads(content)["objects"]
            for one in objects:
                one["actions"] = {"upload": {"href": f"{self.hub.address}/objects"}}
            self._answer(200, {"transfer": "basic", "objects": objects})
        elif api := _API.fullmatch(path):
            self._change(api, content)

    def _change(self, api: re.Match[str], content: bytes) -> None:
        kind, name, what, revision, _ = api.groups()
        repository = self._repository(kind, name, files=what == "paths-info")
        if repository is None:
            return
        if what == "preupload":
            modes = [
                {"path": file["path"], "shouldIgnore": False,
                 "uploadMode": "lfs" if file["path"].endswith(("tensors", "bin")) else "regular"}
                for file in json.loads(content)["files"]
            ]  # fmt: skip
            self._answer(200, {"files": modes})
        elif what == "paths-info":
            commit = self._commit(repository, revision)
            if commit is not None:
                files = repository.commits[commit]
                asked = unquote(content.decode()).replace("+", " ").split("&")
                paths = [pair[6:] for pair in asked if pair.startswith("paths=")]
                self._answer(200, [_entry(p, files[p]) for p in paths if p in files])
        elif what == "commit":
            files = {}
            for line in content.splitlines():
                change = json.loads(line)
                value = change["value"]
                if change["key"] == "file":
                    files[value["path"]] = base64.b64decode(value["content"])
                elif change["key"] == "lfsFile":
                    files[value["path"]] = self.hub.objects[value["oid"]]
            commit = repository.commit(files)
            url = f"{self.hub.address}/{name}/commit/{commit}"
            self._answer(200, {"commitUrl": url, "commitOid": commit, "success": True})
        elif what == "tag":
            revision = unquote(revision)
            repository.refs[json.loads(content)["tag"]] = repository.refs.get(revision, revision)
            self._answer(200)


def _oid(content: bytes) -> str:
    return hashlib.sha1(b"blob %d\0" % len(content) + content).hexdigest()


def _entry(path: str, content: bytes) -> dict[str, Any]:
    return {"type": "file", "path": path, "size": len(content), "oid": _oid(content)}


@contextmanager
def serving() -> Iterator[Hub]:
    """Serve an empty hub."""
    hub = Hub()
    handler = type("Handler", (_Handler,), {"hub": hub})
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        hub.address = f"http://127.0.0.1:{server.server_port}"
        threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
        yield hub
        server.shutdown()
