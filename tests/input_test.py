"""One table in many clothes: every format, packing, encoding and type the contract names gives the same content."""
import glob
import gzip
import json
import os
import pathlib
import struct
import subprocess
import zlib

import pytest

from sluice_program import done, manifest_hash, run

np = pytest.importorskip("numpy")

NAMES = list("abcd")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """97 rows of 4 whole numbers below 100 as t.csv and x.npy: every type holds them exactly."""
    folder = tmp_path_factory.mktemp("formats")
    rng = np.random.default_rng(21)
    x = rng.integers(0, 25, (97, 4)) + 25 * rng.integers(0, 4, (97, 1))
    np.save(folder / "x.npy", x)
    (folder / "t.csv").write_text(csv_text(x))
    return folder


def csv_text(x, comma=",", end="\n"):
    return end.join(comma.join(map(str, row)) for row in [NAMES[: x.shape[1]], *x.tolist()]) + end


def content(tmp_path, *words):
    """What the manifest says of the decoded input."""
    out = tmp_path / "out"
    done("kmeans", *words, "--n-clusters", 2, "--n-init", 1, "-o", out)
    return manifest_hash(out)


@pytest.fixture(scope="module")
def named(folder, tmp_path_factory):
    return content(tmp_path_factory.mktemp("named"), folder / "t.csv")


@pytest.fixture(scope="module")
def numbered(folder, tmp_path_factory):
    return content(tmp_path_factory.mktemp("numbered"), folder / "x.npy")


@pytest.mark.parametrize("form", ["crlf", "bom", "no-end", "quoted", "spaces", "tsv", "jsonl", "gz", "zst", "tsv.gz", "jsonl.gz", "gz-members", "format", "utf-16", "utf-16-be"])
def test_text_formats(form, folder, named, tmp_path):
    x = np.load(folder / "x.npy")
    text = csv_text(x)
    words = []
    file = tmp_path / "t.csv"
    lines = "".join(json.dumps(dict(zip(NAMES, row))) + "\n" for row in x.tolist())
    if form == "crlf":
        file.write_text(text.replace("\n", "\r\n"), newline="")
    elif form == "bom":
        file.write_text("\ufeff" + text, encoding="utf-8")
    elif form == "no-end":
        file.write_text(text[:-1])
    elif form == "quoted":
        file.write_text("\n".join(",".join(f'"{cell}"' for cell in line.split(",")) for line in text.splitlines()) + "\n")
    elif form == "spaces":
        file.write_text("\n".join(line if line[0] == "a" else ", ".join(line.split(",")) for line in text.splitlines()) + "\n")
    elif form == "tsv":
        file = tmp_path / "t.tsv"
        file.write_text(csv_text(x, "\t"))
    elif form == "jsonl":
        file = tmp_path / "t.jsonl"
        file.write_text(lines)
    elif form == "gz":
        file = tmp_path / "t.csv.gz"
        file.write_bytes(gzip.compress(text.encode()))
    elif form == "gz-members":
        file = tmp_path / "t.csv.gz"
        file.write_bytes(gzip.compress(text[:200].encode()) + gzip.compress(text[200:].encode()))
    elif form == "tsv.gz":
        file = tmp_path / "t.tsv.gz"
        file.write_bytes(gzip.compress(csv_text(x, "\t").encode()))
    elif form == "jsonl.gz":
        file = tmp_path / "t.jsonl.gz"
        file.write_bytes(gzip.compress(lines.encode()))
    elif form == "zst":
        pa = pytest.importorskip("pyarrow")
        file = tmp_path / "t.csv.zst"
        with pa.CompressedOutputStream(str(file), "zstd") as packed:
            packed.write(text.encode())
    elif form == "format":
        file, words = tmp_path / "t.data", ["--format", "csv"]
        file.write_text(text)
    else:
        words = ["--encoding", "UTF-16"]
        file.write_bytes(b"\xfe\xff" + text.encode("utf-16-be") if form == "utf-16-be" else text.encode("utf-16"))
    assert content(tmp_path, file, *words) == named


@pytest.mark.parametrize("dtype", ["i1", "u1", "<i2", ">i2", "<u2", "<i4", ">i4", "<i8", ">i8", "<u8", "<f2", ">f2", "<f4", ">f4", "<f8", ">f8"])
@pytest.mark.parametrize("order", ["C", "F"])
def test_types_and_orders_of_npy(dtype, order, folder, numbered, tmp_path):
    np.save(tmp_path / "x.npy", np.asarray(np.load(folder / "x.npy"), dtype=dtype, order=order))
    assert content(tmp_path, tmp_path / "x.npy") == numbered


def test_a_side_of_npz(folder, numbered, tmp_path):
    x = np.load(folder / "x.npy")
    np.savez(tmp_path / "two.npz", first=x, second=x + 1)
    np.savez(tmp_path / "one.npz", only=x, flat=x[:, 0])
    np.savez(tmp_path / "X.npz", X=x, Y=x + 1)
    assert content(tmp_path, tmp_path / "two.npz", "--array", "first") == numbered
    assert content(tmp_path, tmp_path / "one.npz") == numbered
    assert content(tmp_path, tmp_path / "X.npz") == numbered
    assert run("kmeans", tmp_path / "two.npz", "-o", tmp_path / "o").code == 3
    assert run("kmeans", tmp_path / "two.npz", "--array", "third", "-o", tmp_path / "o").code == 3


def test_idx(folder, tmp_path):
    x = np.load(folder / "x.npy").astype(np.uint8)
    whole = struct.pack(">IIII", 0x803, 97, 2, 2) + x.tobytes()
    for name in ("x.idx", "x-idx3-ubyte"):
        (tmp_path / name).write_bytes(whole)
        (tmp_path / f"{name}.gz").write_bytes(gzip.compress(whole))
        hashes = {content(tmp_path, tmp_path / name), content(tmp_path, tmp_path / f"{name}.gz")}
        assert len(hashes) == 1
        assert np.load(tmp_path / "out/labels.npy").shape == (97,)


def test_several_files_a_folder_and_a_glob(folder, named, tmp_path):
    x = np.load(folder / "x.npy")
    parts = tmp_path / "parts"
    parts.mkdir()
    for i, (begin, end) in enumerate([(0, 40), (40, 41), (41, 97)]):
        (parts / f"part-{i}.csv").write_text(csv_text(x[begin:end]))
    files = sorted(glob.glob(str(parts / "*.csv")))
    assert content(tmp_path, *files) == named
    assert content(tmp_path, parts / "part-*.csv") == named
    assert content(tmp_path, parts) == named
    ended = run("kmeans", parts / "nothing-*.csv", "-o", tmp_path / "o")
    assert ended.code == 4 and "nothing-" in ended.err
    (parts / "part-9.csv").write_text("a,b,c\n1,2,3\n")
    assert run("kmeans", parts, "-o", tmp_path / "o").code == 3


def arrow_tables(x):
    pa = pytest.importorskip("pyarrow")
    yield "int64", pa.table({n: x[:, i] for i, n in enumerate(NAMES)})
    yield "int8", pa.table({n: x[:, i].astype(np.int8) for i, n in enumerate(NAMES)})
    yield "float32", pa.table({n: x[:, i].astype(np.float32) for i, n in enumerate(NAMES)})
    yield "float16", pa.table({n: x[:, i].astype(np.float16) for i, n in enumerate(NAMES)})
    yield "mixed", pa.table({n: x[:, i].astype(t) for i, (n, t) in enumerate(zip(NAMES, ["u1", "f8", "i4", "u2"]))})
    yield "chunks", pa.concat_tables([pa.table({n: x[:50, i] for i, n in enumerate(NAMES)}), pa.table({n: x[50:, i] for i, n in enumerate(NAMES)})])


@pytest.mark.parametrize("kind", ["parquet", "arrow", "feather", "arrow-stream"])
def test_parquet_and_arrow(kind, folder, named, tmp_path):
    pytest.importorskip("pyarrow")
    import pyarrow as pa
    import pyarrow.feather
    import pyarrow.ipc
    import pyarrow.parquet

    for name, table in arrow_tables(np.load(folder / "x.npy")):
        file = tmp_path / f"{name}.{kind.split('-')[0]}"
        if kind == "parquet":
            pyarrow.parquet.write_table(table, file, row_group_size=31, compression="zstd")
        elif kind == "feather":
            pyarrow.feather.write_feather(table, str(file), compression="lz4")
        else:
            with (pa.ipc.new_file if kind == "arrow" else pa.ipc.new_stream)(str(file), table.schema) as writer:
                writer.write_table(table)
        if kind == "arrow-stream" and run("kmeans", file, "--n-clusters", 2, "-o", tmp_path / "o").code == 3:
            pytest.skip("streams of record batches are refused")
        assert content(tmp_path, file) == named, name


def test_list_columns(folder, tmp_path):
    pa = pytest.importorskip("pyarrow")
    import pyarrow.parquet as pq

    x = np.load(folder / "x.npy")
    lists = {
        "list": pa.array(x.astype(np.float32).tolist(), pa.list_(pa.float32())),
        "fixed": pa.FixedSizeListArray.from_arrays(pa.array(x.astype(np.float64).ravel()), 4),
        "half": pa.FixedSizeListArray.from_arrays(pa.array(x.astype(np.float16).ravel()), 4),
        "bytes": pa.FixedSizeListArray.from_arrays(pa.array(x.astype(np.int8).ravel()), 4),
    }
    hashes = {}
    for name, column in lists.items():
        pq.write_table(pa.table({"emb": column, "word": [f"w{i}" for i in range(97)]}), tmp_path / f"{name}.parquet")
        hashes[name] = content(tmp_path, tmp_path / f"{name}.parquet", "--columns", "emb")
        assert np.load(tmp_path / "out/labels.npy").shape == (97,)
    assert len(set(hashes.values())) == 1, hashes
    ragged = x.astype(float).tolist()
    ragged[13] = ragged[13][:-1]
    pq.write_table(pa.table({"emb": pa.array(ragged, pa.list_(pa.float64()))}), tmp_path / "ragged.parquet")
    ended = run("kmeans", tmp_path / "ragged.parquet", "--columns", "emb", "-o", tmp_path / "o")
    assert ended.code == 3 and "13" in ended.err


def test_bfloat16_as_fixed_size_binary(folder, named, tmp_path):
    pa = pytest.importorskip("pyarrow")
    import pyarrow.parquet as pq

    x = np.load(folder / "x.npy").astype(np.float32)
    halves = (x.view(np.uint32) >> 16).astype("<u2")
    table = pa.table({n: pa.array([v.tobytes() for v in halves[:, i]], pa.binary(2)) for i, n in enumerate(NAMES)})
    pq.write_table(table, tmp_path / "b.parquet")
    assert content(tmp_path, tmp_path / "b.parquet") == named


@pytest.mark.parametrize("encoding, word", [("GB18030", "数据"), ("ISO-8859-1", "Größe"), ("UTF-16", "数据ß")])
def test_encodings(encoding, word, tmp_path):
    text = f"{word},b\n1,2\n3,5\n"
    (tmp_path / "plain.csv").write_text(text, encoding="utf-8")
    (tmp_path / "other.csv").write_bytes(text.encode(encoding))
    plain = content(tmp_path, tmp_path / "plain.csv")
    assert content(tmp_path, tmp_path / "other.csv", "--encoding", encoding) == plain
    assert (tmp_path / "out/centers.csv").read_text(encoding="utf-8").startswith(f"{word},b\n")
    refusal = run("kmeans", tmp_path / "other.csv", "-o", tmp_path / "o")
    assert refusal.code == 3 and "--encoding" in refusal.err and "other.csv" in refusal.err
    assert run("kmeans", tmp_path / "plain.csv", "--encoding", "EBCDIC-7", "-o", tmp_path / "o").code == 2


def test_whole_numbers_beyond_two_to_the_53rd_are_no_features(tmp_path):
    (tmp_path / "big.csv").write_text("id,a\n9007199254740993,1\n9007199254740995,2\n")
    ended = run("kmeans", tmp_path / "big.csv", "--n-clusters", 1, "-o", tmp_path / "o")
    assert ended.code == 3 and "id" in ended.err
    done("kmeans", tmp_path / "big.csv", "--n-clusters", 1, "--id", "id", "-o", tmp_path / "o")
    assert "9007199254740993" in (tmp_path / "o/assignments.csv").read_text()


@pytest.mark.parametrize("words", [["--dtype", "float32"], ["--dtype", "float64"]])
def test_dtype(words, tmp_path):
    np.save(tmp_path / "x.npy", np.array([[0.1], [0.1 + 1e-12], [7.0]]))
    done("kmeans", tmp_path / "x.npy", "--n-clusters", 2, *words, "-o", tmp_path / "o")
    centre = min(float(line) for line in (tmp_path / "o/centers.csv").read_text().splitlines()[1:])
    assert (abs(centre - float(np.float32(0.1))) < 1e-15) == (words[1] == "float32")


def png(pixels):
    """Colour pixels as a PNG file."""
    def chunk(kind, body):
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    height, width, _ = pixels.shape
    lines = b"".join(b"\0" + line.tobytes() for line in pixels)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)) + chunk(b"IDAT", zlib.compress(lines)) + chunk(b"IEND", b"")


def test_a_folder_of_pictures_of_many_sizes(tmp_path):
    folder = tmp_path / "pictures"
    folder.mkdir()
    rng = np.random.default_rng(2)
    for i in range(12):
        whole = png(rng.integers(0, 256, (10 + i, 9, 3), dtype=np.uint8))
        (folder / f"p{i:02}.png").write_bytes(whole if i != 5 else whole[:60])
    (folder / "p99.jpg").write_bytes(b"\xff\xd8\xff\xe0 cut")
    ended = done("kmeans", folder, "--n-clusters", 2, "--size", 6, "--gray", "-o", tmp_path / "o")
    assert ended.json["input"] == {"rows": 13, "columns": 36}
    assert json.loads((tmp_path / "o/manifest.json").read_text())["rows"]["rejected"] == 2
    kept = [i for i in range(12) if i != 5]
    assert len(np.load(tmp_path / "o/labels.npy")) == 11
    ids = [line.split(",")[0] for line in (tmp_path / "o/assignments.csv").read_text().splitlines()[1:]]
    assert ids == [f"p{i:02}.png" for i in kept]
    colour = done("kmeans", folder, "--n-clusters", 2, "--size", 6, "-o", tmp_path / "o")
    assert colour.json["input"]["columns"] == 3 * 36


def test_paths_with_odd_names(folder, named, tmp_path):
    for name in ("ein Wort.csv", "größe.csv", "-dash.csv", "a'b\"c.csv", "new\nline.csv"):
        (tmp_path / name).write_text((folder / "t.csv").read_text())
        assert content(tmp_path, tmp_path / name) == named, name
    line = run("kmeans", tmp_path / "no\nfile.csv", "-o", tmp_path / "o")
    assert line.code == 4 and len(line.err.strip().splitlines()) == 1


def test_a_pipe_is_read_once(folder, named, tmp_path):
    fifo = tmp_path / "t.csv"
    os.mkfifo(fifo)
    feed = subprocess.Popen(["sh", "-c", f"cat '{folder / 't.csv'}' > '{fifo}'"])
    try:
        assert content(tmp_path, fifo) == named
    finally:
        feed.kill()
        feed.wait()
    assert pathlib.Path(fifo).exists()
