"""A small Hub on 127.0.0.1 for the tests: real files on disk, the calls the real clients make.

    with HubDouble(folder) as hub:
        HfApi(endpoint=hub.url, token="any").create_repo("me/model")

A repository is a chain of commits, each a table of path -> blob; blobs lie in one folder by their
git or SHA-256 hash, as on the Hub. `hub.faults` makes it misbehave: answer with an error, answer
late, cut downloads short, let somebody else commit first, or answer like another server.
`hub.account` is who asks, and what the token may do.
"""

import base64
import hashlib
import json
import re
import socket
import threading
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import anyio
import uvicorn
import yaml
from fastapi import FastAPI, Request, Response
from fastapi.responses import JSONResponse, StreamingResponse

LFS = re.compile(r"\.(safetensors|bin|parquet|png|mp3|mid|npz)$")
FIRST_COMMIT = {"README.md": b"", ".gitattributes": b"*.safetensors filter=lfs\n"}


@dataclass
class Faults:
    """How the Hub misbehaves; all off by default. `where` is a pattern of method and path.

    `portal` is what another server in the Hub's place answers: "html", or JSON that never ends.
    """

    status: int | None = None
    delay_s: float = 0.0
    where: str = ""
    cut_after: int | None = None
    cut_times: int = 0
    commit_before: dict[str, bytes] | None = None
    portal: str = ""


@dataclass
class Repo:
    """A repository: `commits` oldest first, `refs` from branch or tag to commit."""

    kind: str
    name: str
    private: bool
    commits: list[dict[str, Any]] = field(default_factory=list)
    refs: dict[str, str] = field(default_factory=dict)
    tags: dict[str, str] = field(default_factory=dict)

    def at(self, revision: str) -> dict[str, Any] | None:
        oid = self.refs.get(revision) or self.tags.get(revision) or revision
        return next((c for c in self.commits if c["oid"] == oid), None)


class HubDouble:
    """Serves repositories kept in `folder`; `url` is its address while the `with` lasts."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        (folder / "blobs").mkdir(parents=True, exist_ok=True)
        self.repos: dict[tuple[str, str], Repo] = {}
        self.faults = Faults()
        self.requests: list[str] = []
        self.account: dict[str, Any] = {
            "type": "user",
            "name": "me",
            "orgs": [{"name": "someone", "roleInOrg": "write"}],
            "auth": {"accessToken": {"role": "write"}},
        }
        self.url = ""

    def __enter__(self) -> "HubDouble":
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        config = uvicorn.Config(
            build_app(self), host="127.0.0.1", port=port, log_level="critical", lifespan="off"
        )
        self._server = uvicorn.Server(config)
        self._thread = threading.Thread(target=self._server.run, daemon=True)
        self._thread.start()
        for _ in range(500):
            if self._server.started:
                break
            time.sleep(0.01)
        self.url = f"http://127.0.0.1:{port}"
        return self

    def __exit__(self, *_: object) -> None:
        self._server.should_exit = True
        self._server.force_exit = True
        self._thread.join(5)

    def downloads(self) -> list[str]:
        """Returns the files asked for so far."""
        return [
            r.split("/resolve/")[1]
            for r in self.requests
            if r.startswith("GET") and "/resolve/" in r
        ]

    def put(self, repo_id: str, files: dict[str, bytes], kind: str = "models") -> str:
        """Commits files from outside any client, making the repository; returns the commit."""
        repo = self.repos.setdefault((kind, repo_id), Repo(kind, repo_id, private=False))
        head = repo.at("main")
        table = dict(head["files"]) if head else {}
        table |= {path: self.keep(path, data) for path, data in files.items()}
        return self.commit(repo, table, "put")

    def keep(self, path: str, data: bytes) -> dict[str, Any]:
        oid = hashlib.sha1(b"blob %d\x00" % len(data) + data).hexdigest()
        sha256 = hashlib.sha256(data).hexdigest() if LFS.search(path) else None
        (self.folder / "blobs" / (sha256 or oid)).write_bytes(data)
        return {"oid": oid, "sha256": sha256, "size": len(data)}

    def kept(self, entry: dict[str, Any]) -> Path:
        return self.folder / "blobs" / (entry["sha256"] or entry["oid"])

    def commit(self, repo: Repo, table: dict[str, Any], title: str) -> str:
        answer = json.dumps(
            [repo.refs.get("main"), len(repo.commits), title, table], sort_keys=True
        )
        oid = hashlib.sha1(answer.encode()).hexdigest()
        repo.commits.append({"oid": oid, "title": title, "files": table})
        repo.refs["main"] = oid
        return oid

    def read(self, repo_id: str, path: str, revision: str = "main", kind: str = "models") -> bytes:
        """Returns a file as the repository holds it."""
        commit = self.repos[kind, repo_id].at(revision)
        assert commit is not None
        return self.kept(commit["files"][path]).read_bytes()


def refused(status: int, code: str, message: str) -> JSONResponse:
    """Returns an error as the Hub words it."""
    headers = {"X-Error-Code": code, "X-Error-Message": message}
    return JSONResponse({"error": message}, status, headers)


def front_matter(hub: HubDouble, commit: dict[str, Any]) -> dict[str, Any]:
    entry = commit["files"].get("README.md")
    found = entry and re.match(r"---\n(.*?)\n---", hub.kept(entry).read_text("utf-8"), flags=re.S)
    return yaml.safe_load(found[1]) if found else {}


def described(hub: HubDouble, repo: Repo, commit: dict[str, Any], blobs: bool) -> dict[str, Any]:
    card = front_matter(hub, commit)
    siblings = []
    for path, entry in sorted(commit["files"].items()):
        sibling: dict[str, Any] = {"rfilename": path}
        if blobs:
            sibling |= {"blobId": entry["oid"], "size": entry["size"]}
            if entry["sha256"]:
                sibling["lfs"] = {
                    "sha256": entry["sha256"],
                    "size": entry["size"],
                    "pointerSize": 130,
                }
        siblings.append(sibling)
    return {
        "id": repo.name,
        "modelId": repo.name,
        "author": repo.name.split("/")[0],
        "sha": commit["oid"],
        "lastModified": "2026-11-22T12:00:00.000Z",
        "createdAt": "2026-11-22T12:00:00.000Z",
        "private": repo.private,
        "gated": False,
        "disabled": False,
        "downloads": 0,
        "likes": 0,
        "tags": card.get("tags") or [],
        "pipeline_tag": card.get("pipeline_tag"),
        "library_name": card.get("library_name"),
        "cardData": card,
        "siblings": siblings,
    }


def tree(commit: dict[str, Any], under: str, recursive: bool) -> list[dict[str, Any]]:
    prefix = f"{under}/" if under else ""
    rows: dict[str, dict[str, Any]] = {}
    for path, entry in sorted(commit["files"].items()):
        if not path.startswith(prefix):
            continue
        parts = path[len(prefix) :].split("/")
        for i in range(1, len(parts) if recursive else min(2, len(parts))):
            folder = prefix + "/".join(parts[:i])
            rows[folder] = {"type": "directory", "oid": "0" * 40, "size": 0, "path": folder}
        if recursive or len(parts) == 1:
            row = {"type": "file", "oid": entry["oid"], "size": entry["size"], "path": path}
            if entry["sha256"]:
                row["lfs"] = {"oid": entry["sha256"], "size": entry["size"], "pointerSize": 130}
            rows[path] = row
    return list(rows.values())


def build_app(hub: HubDouble) -> FastAPI:
    """Returns the server."""
    app = FastAPI()

    async def endless() -> AsyncIterator[bytes]:
        yield b"["
        while True:
            yield b'{"id": "a/b"},' * 1000
            await anyio.sleep(0.001)

    @app.middleware("http")
    async def misbehave(request: Request, call_next: Any) -> Response:
        line = f"{request.method} {request.url.path}"
        hub.requests.append(line)
        faults = hub.faults
        if re.search(faults.where, line):
            if faults.portal == "html":
                return Response("<html><form>Log in</form></html>", media_type="text/html")
            if faults.portal:
                return StreamingResponse(endless(), media_type="application/json")
            if faults.delay_s:
                await anyio.sleep(faults.delay_s)
            if faults.status is not None:
                code = {404: "RepoNotFound"}.get(faults.status, "")
                return refused(faults.status, code, f"the double answers {faults.status}")
        return await call_next(request)

    def find(kind: str, name: str) -> Repo | JSONResponse:
        return hub.repos.get((kind, name)) or refused(404, "RepoNotFound", "Repository not found")

    def look(kind: str, name: str, revision: str) -> tuple[Repo, dict[str, Any]] | JSONResponse:
        repo = find(kind, name)
        if isinstance(repo, JSONResponse):
            return repo
        commit = repo.at(revision)
        return (repo, commit) if commit else refused(404, "RevisionNotFound", "Invalid rev id")

    @app.get("/api/whoami-v2")
    def whoami() -> Any:
        return hub.account

    @app.post("/api/repos/create")
    async def create(request: Request) -> Any:
        values = await request.json()
        kind = values.get("type", "model") + "s"
        name = f"{values.get('organization') or 'me'}/{values['name']}"
        prefix = "" if kind == "models" else f"{kind}/"
        answer = {"url": f"{hub.url}/{prefix}{name}", "name": name, "id": name}
        if (kind, name) in hub.repos:
            return JSONResponse({**answer, "error": "You already created this repo"}, 409)
        repo = Repo(
            kind, name, values.get("visibility") == "private" or bool(values.get("private"))
        )
        hub.repos[kind, name] = repo
        hub.commit(repo, {p: hub.keep(p, d) for p, d in FIRST_COMMIT.items()}, "initial commit")
        return answer

    @app.post("/api/validate-yaml")
    async def validate(request: Request) -> Any:
        values = await request.json()
        found = re.match(r"---\n(.*?)\n---", values["content"], flags=re.S)
        errors = []
        try:
            card = yaml.safe_load(found[1]) if found else {}
            if values["repoType"] == "space" and "sdk" not in card:
                errors.append({"message": "sdk is required"})
        except yaml.YAMLError as error:
            errors.append({"message": str(error)})
        return JSONResponse({"errors": errors, "warnings": []}, 400 if errors else 200)

    @app.get("/api/{kind}")
    def listing(kind: str, request: Request) -> Any:
        if kind not in ("models", "datasets", "spaces"):
            return refused(404, "", "no such page")
        wanted = set(request.query_params.getlist("filter"))
        rows = [
            described(hub, repo, repo.commits[-1], False)
            for (its_kind, _), repo in sorted(hub.repos.items())
            if its_kind == kind and repo.commits and not repo.private
        ]
        return [row for row in rows if wanted <= set(row["tags"])]

    @app.post("/api/{kind}/{owner}/{name}/preupload/{revision}")
    async def preupload(kind: str, owner: str, name: str, revision: str, request: Request) -> Any:
        found = look(kind, f"{owner}/{name}", revision)
        if isinstance(found, JSONResponse):
            return found
        files = []
        for values in (await request.json())["files"]:
            entry = found[1]["files"].get(values["path"], {})
            files.append(
                {
                    "path": values["path"],
                    "uploadMode": "lfs" if LFS.search(values["path"]) else "regular",
                    "shouldIgnore": False,
                    "oid": entry.get("sha256") or entry.get("oid"),
                }
            )
        return {"files": files}

    async def batch(request: Request) -> Any:
        objects = []
        for values in (await request.json())["objects"]:
            answer = {"oid": values["oid"], "size": values["size"]}
            if not (hub.folder / "blobs" / values["oid"]).exists():
                href = f"{hub.url}/lfs/{values['oid']}"
                answer["actions"] = {"upload": {"href": href, "header": {}}}
            objects.append(answer)
        return JSONResponse(
            {"transfer": "basic", "objects": objects},
            media_type="application/vnd.git-lfs+json",
        )

    app.post("/{owner}/{name}.git/info/lfs/objects/batch")(batch)
    app.post("/{prefix}/{owner}/{name}.git/info/lfs/objects/batch")(batch)

    @app.put("/lfs/{oid}")
    async def upload(oid: str, request: Request) -> Any:
        data = await request.body()
        if hashlib.sha256(data).hexdigest() != oid:
            return refused(422, "", "the content has another SHA-256")
        (hub.folder / "blobs" / oid).write_bytes(data)
        return {}

    @app.post("/api/{kind}/{owner}/{name}/commit/{revision}")
    async def commit(kind: str, owner: str, name: str, revision: str, request: Request) -> Any:
        found = look(kind, f"{owner}/{name}", revision)
        if isinstance(found, JSONResponse):
            return found
        repo = found[0]
        if hub.faults.commit_before is not None:
            files, hub.faults.commit_before = hub.faults.commit_before, None
            hub.put(repo.name, files, kind)
        lines = [json.loads(line) for line in (await request.body()).splitlines() if line]
        header = lines[0]["value"]
        head = repo.at(revision)
        assert head is not None
        if header.get("parentCommit") not in (None, head["oid"]):
            return refused(412, "", "A commit has happened since. Please refresh and try again.")
        table = dict(head["files"])
        for line in lines[1:]:
            value = line["value"]
            if line["key"] == "file":
                table[value["path"]] = hub.keep(value["path"], base64.b64decode(value["content"]))
            elif line["key"] == "lfsFile":
                data = (hub.folder / "blobs" / value["oid"]).read_bytes()
                table[value["path"]] = hub.keep(value["path"], data)
            elif line["key"] == "deletedFile":
                del table[value["path"]]
        oid = hub.commit(repo, table, header["summary"])
        return {"commitUrl": f"{hub.url}/{repo.name}/commit/{oid}", "commitOid": oid}

    @app.post("/api/{kind}/{owner}/{name}/tag/{revision}")
    async def tag(kind: str, owner: str, name: str, revision: str, request: Request) -> Any:
        found = look(kind, f"{owner}/{name}", revision)
        if isinstance(found, JSONResponse):
            return found
        wanted = (await request.json())["tag"]
        if wanted in found[0].tags:
            return refused(409, "", "Tag reference exists already")
        found[0].tags[wanted] = found[1]["oid"]
        return {}

    @app.get("/api/{kind}/{owner}/{name}/refs")
    def refs(kind: str, owner: str, name: str) -> Any:
        repo = find(kind, f"{owner}/{name}")
        if isinstance(repo, JSONResponse):
            return repo

        def values(table: dict[str, str], under: str) -> list[dict[str, str]]:
            return [
                {"name": n, "ref": f"refs/{under}/{n}", "targetCommit": oid}
                for n, oid in table.items()
            ]

        return {
            "branches": values(repo.refs, "heads"),
            "tags": values(repo.tags, "tags"),
            "converts": [],
        }

    @app.get("/api/{kind}/{owner}/{name}")
    @app.get("/api/{kind}/{owner}/{name}/revision/{revision}")
    def info(kind: str, owner: str, name: str, request: Request, revision: str = "main") -> Any:
        found = look(kind, f"{owner}/{name}", revision)
        if isinstance(found, JSONResponse):
            return found
        return described(hub, *found, blobs="blobs" in request.query_params)

    @app.get("/api/{kind}/{owner}/{name}/tree/{revision}")
    @app.get("/api/{kind}/{owner}/{name}/tree/{revision}/{path:path}")
    def listed(
        kind: str, owner: str, name: str, revision: str, request: Request, path: str = ""
    ) -> Any:
        found = look(kind, f"{owner}/{name}", revision)
        if isinstance(found, JSONResponse):
            return found
        recursive = request.query_params.get("recursive", "").lower() in ("1", "true")
        rows = tree(found[1], path, recursive)
        return rows if rows or not path else refused(404, "EntryNotFound", "no such folder")

    @app.post("/api/{kind}/{owner}/{name}/paths-info/{revision}")
    async def paths(kind: str, owner: str, name: str, revision: str, request: Request) -> Any:
        found = look(kind, f"{owner}/{name}", revision)
        if isinstance(found, JSONResponse):
            return found
        form = await request.body()
        try:
            wanted = json.loads(form)["paths"]
        except ValueError:
            wanted = (await request.form()).getlist("paths")
        wanted = [wanted] if isinstance(wanted, str) else wanted
        return [row for row in tree(found[1], "", True) if row["path"] in wanted]

    async def resolve(kind: str, name: str, revision: str, path: str, request: Request) -> Response:
        found = look(kind, name, revision)
        if isinstance(found, JSONResponse):
            return found
        headers = {"X-Repo-Commit": found[1]["oid"], "Accept-Ranges": "bytes"}
        entry = found[1]["files"].get(path)
        if entry is None:
            answer = refused(404, "EntryNotFound", "Entry not found")
            answer.headers.update(headers)
            return answer
        headers["ETag"] = f'"{entry["sha256"] or entry["oid"]}"'
        data = hub.kept(entry).read_bytes()
        if request.method == "HEAD":
            return Response(headers={**headers, "Content-Length": str(len(data))})
        return sent(hub, data, request.headers.get("range"), headers)

    @app.api_route("/{owner}/{name}/resolve/{revision}/{path:path}", methods=["GET", "HEAD"])
    async def model_file(
        owner: str, name: str, revision: str, path: str, request: Request
    ) -> Response:
        return await resolve("models", f"{owner}/{name}", revision, path, request)

    @app.api_route("/{kind}/{owner}/{name}/resolve/{revision}/{path:path}", methods=["GET", "HEAD"])
    async def other_file(
        kind: str, owner: str, name: str, revision: str, path: str, request: Request
    ) -> Response:
        return await resolve(kind, f"{owner}/{name}", revision, path, request)

    return app


def sent(hub: HubDouble, data: bytes, asked: str | None, headers: dict[str, str]) -> Response:
    """Returns the file or the asked range of it, cut short where the double is set to."""
    first, last = 0, len(data) - 1
    if asked and (found := re.match(r"bytes=(\d+)-(\d*)", asked)):
        first = int(found[1])
        last = min(last, int(found[2])) if found[2] else last
        headers["Content-Range"] = f"bytes {first}-{last}/{len(data)}"
    part = data[first : last + 1]
    headers["Content-Length"] = str(len(part))
    cut = hub.faults.cut_after
    if cut is None or cut >= len(part) or hub.faults.cut_times <= 0:
        return Response(part, 206 if asked else 200, headers)
    hub.faults.cut_times -= 1

    async def broken() -> AsyncIterator[bytes]:
        yield part[:cut]
        raise ConnectionError("cut")

    return StreamingResponse(broken(), 206 if asked else 200, headers)
