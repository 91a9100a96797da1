"""The MAESTRO catalogue: reading, correcting, selecting, downloading."""

import http.server
import io
import socket
import threading
import zipfile
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest
from conftest import CATALOGUE_COLUMNS, MISLABELLED

from pyzzicato.training.catalogue import (
    SPLITS,
    Piece,
    count_works,
    download_maestro,
    most_played,
    read_catalogue,
    read_manifest,
    select_files,
    select_pieces,
)


def test_every_row_is_read(maestro: Path) -> None:
    pieces = read_catalogue(maestro)
    assert len(pieces) == 9
    assert pieces[0] == Piece(
        "Johann Sebastian Bach", "Prelude in C", "train", 2004, "2004/bach1.midi", 10.0
    )


def test_wrong_labels_are_corrected(maestro: Path) -> None:
    (piece,) = [piece for piece in read_catalogue(maestro) if piece.path == MISLABELLED]
    assert piece.composer == "Frédéric Chopin"
    assert piece.title == "Barcarolle in F-sharp Major, Op. 60"
    assert (piece.split, piece.year) == ("train", 2015)


def test_the_newest_table_is_taken(tmp_path: Path) -> None:
    for version, composer in (("2.0.0", "Old"), ("3.0.0", "New")):
        row = f"{composer},T,test,2018,2018/a.midi,,1.5"
        (tmp_path / f"maestro-v{version}.csv").write_text(f"{CATALOGUE_COLUMNS}\n{row}\n")
    assert [piece.composer for piece in read_catalogue(tmp_path)] == ["New"]


def test_a_folder_without_a_table_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"must hold maestro-v2.0.0.csv .* got .*--download"):
        read_catalogue(tmp_path)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("a,b\n1,2\n", "split"),
        (f"{CATALOGUE_COLUMNS}\nBach,T,train,2004\n", "float"),
        (f"{CATALOGUE_COLUMNS}\nBach,T,dev,2004,a.midi,,1.0\n", "got 'dev'"),
        (f"{CATALOGUE_COLUMNS}\nBach,T,test,MMIV,a.midi,,1.0\n", "MMIV"),
    ],
)
def test_other_tables_are_refused(tmp_path: Path, text: str, words: str) -> None:
    (tmp_path / "maestro-v3.0.0.csv").write_text(text)
    with pytest.raises(ValueError, match=f"maestro-v3.0.0.csv is not a MAESTRO catalogue.*{words}"):
        read_catalogue(tmp_path)


def test_a_table_of_other_bytes_is_refused(tmp_path: Path) -> None:
    (tmp_path / "maestro-v3.0.0.csv").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(ValueError, match="is not a MAESTRO catalogue"):
        read_catalogue(tmp_path)


def test_composers_are_chosen_by_part_of_the_name_in_any_case(maestro: Path) -> None:
    pieces = read_catalogue(maestro)
    chosen = select_pieces(pieces, ["CHOPIN", "bach"], ["train"])
    assert [piece.path for piece in chosen] == [
        "2004/bach1.midi",
        "2004/bach2.midi",
        "2006/chopin1.midi",
        MISLABELLED,
    ]
    assert len(select_pieces(pieces, None, ["train", "validation", "test"])) == 9
    assert select_pieces(pieces, ["debussy"], ["test"]) == []


def test_unknown_composers_and_splits_are_refused(maestro: Path) -> None:
    pieces = read_catalogue(maestro)
    with pytest.raises(ValueError, match="'Satie'; most played are Frédéric Chopin, Johann Seb"):
        select_pieces(pieces, ["Satie"], ["train"])
    with pytest.raises(ValueError, match="split must be one of train, validation, test, got 'dev'"):
        select_pieces(pieces, None, ["train", "dev"])


def test_collections_are_read_by_their_manifest(collection: Path) -> None:
    pieces = read_manifest(collection, ["rolls"])
    found = [(piece.composer, piece.split, piece.source, piece.licence) for piece in pieces]
    assert found == [
        ("Erik Satie", "train", "rolls", "CC BY 4.0"),
        ("Frédéric Chopin", "validation", "rolls", "CC BY 4.0"),
    ]
    assert len(read_manifest(collection)) == 3
    with pytest.raises(ValueError, match="sources must be of rolls, scores; got 'organs'"):
        read_manifest(collection, ["organs"])


def test_files_of_a_collection_join_what_is_learnt(maestro: Path, collection: Path) -> None:
    plain = select_files(maestro, None, SPLITS)
    joined = select_files(maestro, None, SPLITS, sources=["rolls", "scores"], extra_dir=collection)
    assert joined[: len(plain)] == plain
    added = joined[len(plain) :]
    # What the collection holds out is left out: losses stay those on MAESTRO's pieces.
    assert [path for _, path in added] == [collection / "rolls/a.mid", collection / "scores/c.mid"]
    assert all(piece.split == "train" for piece, _ in added)
    chopin = select_files(
        maestro, ["chopin"], ["train"], sources=["scores"], extra_dir=collection, limit=1
    )
    assert [path.parent.parent for _, path in chopin] == [maestro, collection]
    alone = select_files(collection, None, ["validation"], sources=["rolls"])
    assert [path.name for _, path in alone] == ["b.mid"]
    held_out = select_files(maestro, None, ["validation"], sources=["rolls"], extra_dir=collection)
    assert held_out == select_files(maestro, None, ["validation"])


def test_most_played_counts_performances_and_works(maestro: Path) -> None:
    pieces = read_catalogue(maestro)
    assert most_played(pieces) == [
        ("Frédéric Chopin", 4),
        ("Johann Sebastian Bach", 3),
        ("Claude Debussy", 2),
    ]
    assert most_played(pieces, 1) == [("Frédéric Chopin", 4)]
    assert count_works(pieces, "Johann Sebastian Bach") == 2
    assert count_works(pieces, "Erik Satie") == 0


def test_ties_are_in_order_of_the_name() -> None:
    pieces = [Piece(c, "T", "train", 2004, "a", 1.0) for c in ("C", "A", "B", "B")]
    assert most_played(pieces) == [("B", 2), ("A", 1), ("C", 1)]


class QuietHandler(http.server.SimpleHTTPRequestHandler):
    """Serves a folder; `/short.zip` announces more bytes than it sends."""

    def do_GET(self) -> None:  # noqa: N802 (the name http.server calls)
        """Answers a request."""
        if self.path == "/short.zip":
            self.send_response(200)
            self.send_header("Content-Length", "1000")
            self.end_headers()
            self.wfile.write(b"PK")
        else:
            super().do_GET()

    def log_message(self, format: str, *args: object) -> None:
        """Prints nothing."""


@pytest.fixture
def address(tmp_path: Path) -> Iterator[str]:
    """Returns the address of a server of `tmp_path / "www"` that ends with the test."""
    (tmp_path / "www").mkdir()
    handler = partial(QuietHandler, directory=str(tmp_path / "www"))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        yield f"http://127.0.0.1:{server.server_address[1]}"
        server.shutdown()
        thread.join()


def archive_of(folder: Path) -> bytes:
    """Returns a zip of a folder, with the folder's name as its first part, as MAESTRO's is."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for file in sorted(folder.rglob("*")):
            archive.write(file, file.relative_to(folder.parent))
    return buffer.getvalue()


def test_download_unpacks_the_archive(maestro: Path, tmp_path: Path, address: str) -> None:
    (tmp_path / "www" / "maestro.zip").write_bytes(archive_of(maestro))
    folder = download_maestro(tmp_path / "new" / "data", f"{address}/maestro.zip")
    assert folder == tmp_path / "new" / "data" / "maestro-v2.0.0"
    assert read_catalogue(folder) == read_catalogue(maestro)
    midi = folder / "2004" / "bach1.midi"
    assert midi.read_bytes() == (maestro / "2004" / "bach1.midi").read_bytes()


@pytest.mark.parametrize("path", ["missing.zip", "page.html", "short.zip"])
def test_download_of_something_else_says_what_to_do(
    tmp_path: Path, address: str, path: str
) -> None:
    (tmp_path / "www" / "page.html").write_text("<p>Moved.</p>")
    with pytest.raises(ValueError, match=rf"{path} \(.+\); download it by hand .*--data-dir"):
        download_maestro(tmp_path / "data", f"{address}/{path}")


def test_download_without_an_answer_says_what_to_do(tmp_path: Path) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
        # Bound and not listening: the port refuses.
        with pytest.raises(ValueError, match=rf"127.0.0.1:{port}.*by hand .*--data-dir"):
            download_maestro(tmp_path / "data", f"http://127.0.0.1:{port}/maestro.zip")


def test_an_archive_of_other_things_is_refused(tmp_path: Path, address: str) -> None:
    other = tmp_path / "other"
    other.mkdir()
    (other / "readme.txt").write_text("not music")
    (tmp_path / "www" / "other.zip").write_bytes(archive_of(other))
    # Even where an earlier download lies in the same folder.
    (tmp_path / "data" / "maestro-v2.0.0").mkdir(parents=True)
    (tmp_path / "data" / "maestro-v2.0.0" / "maestro-v2.0.0.csv").write_text(CATALOGUE_COLUMNS)
    with pytest.raises(ValueError, match=r"holds no maestro-v\*.csv; is it MAESTRO\?"):
        download_maestro(tmp_path / "data", f"{address}/other.zip")
