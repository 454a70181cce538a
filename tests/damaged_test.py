"""Damaged files: the right exit code, one line, the same in JSON, nothing written, and never a crash.

Inputs in every binary and text format, model files with each header field and each tensor damaged, pipeline files that do not say what they should.
"""
import io
import json
import pathlib
import shutil
import struct
import zlib

import pytest

from sluice_program import done, run

np = pytest.importorskip("numpy")

ROWS, COLS = 200, 4


def refused(ended, codes, out=None):
    """Failed with one of these codes, one line on standard error, the same in JSON, and nothing written."""
    assert ended.code in codes, (ended.code, ended.err[-400:])
    lines = ended.err.strip().splitlines()
    assert len(lines) == 1 and lines[0].startswith("sluice: error: ") and ": " in lines[0][15:] and "; " in lines[0], ended.err
    error = ended.json["error"]
    assert error["code"] == ended.code and isinstance(error["where"], str) and error["message"]
    if out is not None:
        assert not out.exists() and not pathlib.Path(f"{out}.work").exists()
    return lines[0]


def table_bytes(kind):
    """A small whole file of this format."""
    rng = np.random.default_rng(1)
    x = rng.normal(size=(ROWS, COLS)).astype(np.float32)
    file = io.BytesIO()
    if kind == "npy":
        np.save(file, x)
    elif kind == "npz":
        np.savez(file, X=x)
    elif kind == "deflated.npz":
        np.savez_compressed(file, X=x)
    elif kind == "csv":
        file.write(("a,b,c,d\n" + "\n".join(",".join(repr(float(v)) for v in row) for row in x)).encode())
    elif kind == "csv.gz":
        packer = zlib.compressobj(wbits=31)
        file.write(packer.compress(table_bytes("csv")) + packer.flush())
    elif kind == "jsonl":
        file.write("\n".join(json.dumps(dict(zip("abcd", map(float, row)))) for row in x).encode())
    elif kind == "idx":
        file.write(struct.pack(">IIII", 0x803, 50, 4, 4) + rng.integers(0, 256, 800).astype(np.uint8).tobytes())
    else:
        pa = pytest.importorskip("pyarrow")
        table = pa.table({c: x[:, i] for i, c in enumerate("abcd")})
        if kind == "parquet":
            pytest.importorskip("pyarrow.parquet").write_table(table, file)
        else:
            with pytest.importorskip("pyarrow.ipc").new_file(file, table.schema) as writer:
                writer.write_table(table)
    return file.getvalue()


def damage(whole, i, rng):
    """The i-th damage: cut, a bit flipped near the front, eight bytes set, thirty bytes repeated."""
    bad = bytearray(whole)
    place = int(rng.integers(1, len(bad)))
    if i % 4 == 0:
        return bytes(bad[:place])
    if i % 4 == 1:
        bad[int(rng.integers(0, min(len(bad), 200)))] ^= 1 << int(rng.integers(0, 8))
    elif i % 4 == 2:
        bad[place:place + 8] = b"\xff" * 8
    else:
        bad[place:place] = bad[max(0, place - 30):place]
    return bytes(bad)


# A cut CSV or JSONL may end at the end of a row and then is a whole, shorter file; every other cut file must be refused.
@pytest.mark.parametrize("kind", ["npy", "csv", "csv.gz", "jsonl", "idx", "npz", "deflated.npz", "parquet", "arrow"])
def test_damaged_inputs(kind, tmp_path):
    whole = table_bytes(kind)
    out, file = tmp_path / "out", tmp_path / f"bad.{kind}"
    file.write_bytes(whole)
    done("kmeans", file, "--n-clusters", 2, "-o", out)
    shutil.rmtree(out)
    rng = np.random.default_rng([11, len(kind)])
    for i in range(60 if kind in ("npy", "csv", "idx", "npz", "parquet") else 24):
        file.write_bytes(damage(whole, i, rng))
        ended = run("kmeans", file, "--n-clusters", 2, "-o", out, "--json", timeout=30)
        if ended.code:
            refused(ended, (3, 8), out)
        else:
            assert i % 4 != 0 or kind in ("csv", "jsonl"), f"cut at {file.stat().st_size} of {len(whole)} bytes and taken"
            shutil.rmtree(out)


def npy_header(shape, descr="'<f4'", order="False"):
    text = f"{{'descr': {descr}, 'fortran_order': {order}, 'shape': {shape}, }}"
    text += " " * (63 - (10 + len(text)) % 64) + "\n"
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(text)) + text.encode()


LIES = {
    "shape-overflow.npy": npy_header("(4611686018427387904, 4)") + b"\0" * 64,
    "shape-beyond-64-bits.npy": npy_header("(99999999999999999999999, 4)") + b"\0" * 64,
    "shape-product-wraps.npy": npy_header("(4294967296, 4294967296)") + b"\0" * 64,
    "shape-negative.npy": npy_header("(-1, 4)") + b"\0" * 64,
    "shape-longer-than-the-file.npy": npy_header("(1000, 4)") + b"\0" * 64,
    "three-sides-no-columns.npy": npy_header("(4, 0, 2)"),
    "no-columns.npy": npy_header("(4, 0)"),
    "no-rows.npy": npy_header("(0, 4)"),
    "pickled.npy": npy_header("(4, 1)", "'|O'") + b"\0" * 64,
    "structured.npy": npy_header("(4,)", "[('a', '<f4'), ('b', '<f4')]") + b"\0" * 64,
    "complex.npy": npy_header("(4, 1)", "'<c16'") + b"\0" * 64,
    "header-longer-than-the-file.npy": b"\x93NUMPY\x02\x00" + struct.pack("<I", 2**32 - 1) + b"{}",
    "version-nine.npy": b"\x93NUMPY\x09\x00" + struct.pack("<I", 4) + b"{}\n ",
    "dims-overflow.idx": struct.pack(">IIII", 0x803, 2**32 - 1, 2**32 - 1, 2**32 - 1) + b"\0" * 64,
    "dims-longer-than-the-file.idx": struct.pack(">IIII", 0x803, 60000, 28, 28) + b"\0" * 64,
    "no-dims.idx": struct.pack(">I", 0x800) + b"\0" * 64,
    "unknown-type.idx": struct.pack(">III", 0x702, 4, 4) + b"\0" * 64,
    "two-hundred-dims.idx": struct.pack(">I", 0x8C8) + b"\xff" * 800,
    "no-zip.npz": b"PK\x05\x06" + b"\0" * 18,
    "no-gzip.csv.gz": b"a,b\n1,2\n",
    "no-zstd.csv.zst": b"a,b\n1,2\n",
    "footer-longer-than-the-file.parquet": b"PAR1" + b"\0" * 32 + struct.pack("<I", 2**31 - 1) + b"PAR1",
    "footer-of-nothing.parquet": b"PAR1" + struct.pack("<I", 0) + b"PAR1",
    "deep.jsonl": b'{"a":' * 100000,
    "list.jsonl": b"[1, 2, 3]\n",
    "twice.jsonl": b'{"a": 1, "a": 2}\n',
}


@pytest.mark.parametrize("name", LIES)
def test_lying_headers(name, tmp_path):
    (tmp_path / name).write_bytes(LIES[name])
    out = tmp_path / "out"
    line = refused(run("kmeans", tmp_path / name, "--n-clusters", 1, "-o", out, "--json", timeout=30), (3,), out)
    assert name in line


# ---- models

MODELS = {
    "kmeans": ["kmeans", "--n-clusters", 3],
    "kmeans-cosine": ["kmeans", "--n-clusters", 3, "--metric", "cosine"],
    "select": ["select", "--budget", 3],
    "pca": ["pca", "--n-components", 2],
    "svd": ["svd", "--n-components", 2],
    "random-projection": ["random-projection", "--n-components", 2],
    "umap": ["umap", "--n-epochs", 5],
    "pca-whiten": ["pca", "--n-components", 2, "--whiten"],
    "dbscan": ["dbscan", "--eps", 1.5],
    "neighbors": ["neighbors", "--n-neighbors", 3],
    "neighbors-radius": ["neighbors", "--radius", 1.5],
    "tsne": ["tsne", "--perplexity", 5, "--max-iter", 10],
    "hdbscan": ["hdbscan", "--min-cluster-size", 4],
    "gmm": ["gmm", "--n-components", 2],
    "gmm-tied": ["gmm", "--n-components", 2, "--covariance-type", "tied"],
    "gmm-diag": ["gmm", "--n-components", 2, "--covariance-type", "diag"],
    "gmm-spherical": ["gmm", "--n-components", 2, "--covariance-type", "spherical", "--probabilities"],
    **{f"anomaly-{method}": ["anomaly", "--method", method, *more]
       for method, more in {"isolation_forest": ["--n-estimators", 5], "ecod": [], "knn": [], "lof": ["--n-neighbors", 3], "mahalanobis": [],
                            "pca_error": ["--n-components", 2], "gmm_density": ["--n-components", 2], "dbscan_noise": ["--eps", 1.5],
                            "hdbscan_outliers": [], "ensemble": ["--methods", "ecod,mahalanobis"]}.items()},
    "anomaly-conformal": ["anomaly", "--method", "ecod", "--p-values", "conformal"],
    "preprocess": ["preprocess", "--scale", "standard", "--outliers", "winsorize"],
    "text": ["kmeans", "--text", "title", "--metric", "cosine", "--n-clusters", 2],
    "text-svd": ["svd", "--text", "title", "--n-components", 2],
}


def split_model(whole):
    size = struct.unpack("<Q", whole[:8])[0]
    return json.loads(whole[8:8 + size]), whole[8 + size:]


def join_model(header, data):
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    return struct.pack("<Q", len(text)) + text + data


def changed(header, *path, to):
    """A copy of the header with one value changed, or taken out where `to` is None."""
    copy = json.loads(json.dumps(header))
    place = copy
    for key in path[:-1]:
        place = place[key]
    if to is None:
        del place[path[-1]]
    else:
        place[path[-1]] = to
    return copy


def broken_headers(header, size):
    """(what, header) of headers no reader may believe."""
    for name, entry in header.items():
        yield f"{name} missing", changed(header, name, to=None)
        for odd in (7, "x", [], {}):
            yield f"{name} is {odd!r}", changed(header, name, to=odd)
        if name == "__metadata__":
            continue
        (begin, end), shape = entry["data_offsets"], entry["shape"]
        for key in entry:
            yield f"{name}.{key} missing", changed(header, name, key, to=None)
        for dtype in ("F32" if entry["dtype"] == "F64" else "F64" if entry["dtype"] != "U8" else "I64", "BF16", "X", "", 8):
            yield f"{name} of type {dtype}", changed(header, name, "dtype", to=dtype)
        for other in (shape[::-1] + [1], [n + 1 for n in shape], [], [-1], [2**62, 4], [0] * len(shape), "x", [1.5], [[3]], [None], [10**30]):
            if other != shape and (other or shape):
                yield f"{name} of shape {other}", changed(header, name, "shape", to=other)
        for offsets in ([begin + 1, end + 1], [end, begin], [begin, size + 8], [-8, end], [begin], [begin, end, end], [2**63, 2**63 + 8], "x", [begin, None]):
            if offsets != entry["data_offsets"]:
                yield f"{name} at {offsets}", changed(header, name, "data_offsets", to=offsets)
    yield "a tensor too many", {**header, "zz": {"dtype": "U8", "shape": [size], "data_offsets": [0, size]}}


# Words of the description that only tell people, or are free: in any other nothing else is believed.
FREE = {"version", "params", "alerts.positive"}


def broken_descriptions(header):
    """(what, header) of descriptions no reader may believe."""
    about = header["__metadata__"]
    # Preprocessing has its columns elsewhere, and a member of an ensemble is known by its prefix.
    free = FREE | {name for name in about if name.endswith(".algorithm")} | ({"features"} if about["algorithm"] == "preprocess" else set())
    for name in sorted(about.keys() - free):
        if name not in ("features", "text") or "text" in about and name == "features":
            yield f"{name} not said", changed(header, "__metadata__", name, to=None)
        for odd in ("", "x", "[]", "[1]", "{", "[[[[[" * 9999, "nan,", about[name] + ","):
            # Without text the features are names of columns, of which none have to be.
            if not (name == "features" and odd == "[]" and "text" not in about):
                yield f"{name} is {odd[:9]!r}", changed(header, "__metadata__", name, to=odd)
    if "text" in about:
        words, text = json.loads(about["features"]), json.loads(about["text"])
        for what, other in (("a word less", words[1:]), ("a word more", [*words, "zzz"]), ("no order", words[::-1]), ("a word twice", [words[0], *words[:-1]]),
                            ("numbers", [1] * len(words)), ("lists", [[]] * len(words))):
            yield f"vocabulary with {what}", changed(header, "__metadata__", "features", to=json.dumps(other))
        for key, odd in (("column", 1), ("column", None), ("sublinear_tf", "x"), ("sublinear_tf", None)):
            yield f"text.{key} is {odd!r}", changed(header, "__metadata__", "text", to=json.dumps({k: v for k, v in {**text, key: odd}.items() if v is not None}))


def broken_files(header, data):
    text = json.dumps(header).encode()
    yield "nothing", b""
    yield "seven bytes", b"\0" * 7
    for size in (0, 1, len(text) - 1, len(text) + len(data) + 1, 2**63, 2**64 - 1):
        yield f"header of {size} bytes", struct.pack("<Q", size) + text + data
    yield "bytes missing", join_model(header, data[:-1])
    whole = join_model(header, data)
    for size in range(1, len(whole), max(1, len(whole) // 40)):
        yield f"cut after {size} bytes", whole[:size]
    yield "bytes too many", join_model(header, data + b"\0")
    yield "no JSON", join_model(b"x" * 40, data)
    yield "a list", join_model(b"[" + text + b"]", data)
    yield "deep", join_model(b"[" * 200000, data)
    first = next(name for name in header if name != "__metadata__")
    again = json.dumps({first: header[first]}).encode()
    yield "a tensor twice", join_model(text[:-1] + b"," + again[1:], data)
    yield "no UTF-8", join_model(text.replace(b"kmeans", b"km\xffans").replace(b"0.1.0", b"\xff.1.0", 1), data) if b"kmeans" in text else b"\xff"


# Numbers that no other number in the model bounds: a row number and a count of the data it was fitted on.
UNBOUNDED = {"core_sample_indices", "min_samples"}


def broken_tensors(header, data):
    """(what, file) of files whose form is whole and whose numbers cannot be."""
    for name, entry in header.items():
        if name == "__metadata__" or entry["dtype"] == "U8":
            continue
        begin, end = entry["data_offsets"]
        for value in ((np.nan, np.inf, -np.inf) if entry["dtype"] == "F64" else (-(2**63), 2**63 - 1, -2)):
            one = struct.pack("<d" if entry["dtype"] == "F64" else "<q", value)
            for at in {begin, end - 8} if end > begin else ():
                if value == 2**63 - 1 and name in UNBOUNDED:
                    continue
                yield f"{name} holds {value}", join_model(header, data[:at] + one + data[at + 8:])


@pytest.fixture(scope="module")
def rows(tmp_path_factory):
    rng = np.random.default_rng(3)
    path = tmp_path_factory.mktemp("rows") / "x.npy"
    np.save(path, (rng.normal(size=(60, 3)) + 4 * rng.integers(0, 3, (60, 1))).astype(np.float32))
    titles = "".join(" ".join(rng.choice(["cat", "dog", "fur", "snow", "rain", "wind"], 3)) + "\n" for _ in range(60))
    (path.parent / "titles.csv").write_text("title\n" + titles)
    return path


def input_of(name, rows):
    return rows.parent / "titles.csv" if name.startswith("text") else rows


@pytest.mark.parametrize("name", MODELS)
def test_damaged_models(name, rows, tmp_path):
    """Every field of the header, every word of the description and every tensor in turn."""
    rows = input_of(name, rows)
    done(MODELS[name][0], rows, *MODELS[name][1:], "-o", tmp_path / "fit")
    whole = (tmp_path / "fit/model.safetensors").read_bytes()
    header, data = split_model(whole)
    cases = [(what, join_model(bad, data)) for what, bad in broken_headers(header, len(data))]
    cases += [(what, join_model(bad, data)) for what, bad in broken_descriptions(header)]
    cases += [*broken_files(header, data), *broken_tensors(header, data)]
    out, file = tmp_path / "out", tmp_path / "bad.safetensors"
    file.write_bytes(join_model(header, data))
    done("apply", file, rows, "-o", out)
    shutil.rmtree(out)
    taken = []
    for what, bad in cases:
        file.write_bytes(bad)
        ended = run("apply", file, rows, "-o", out, "--json", timeout=30)
        if ended.code == 0:
            taken.append(what)
            shutil.rmtree(out)
        else:
            try:
                refused(ended, (7,), out)
            except AssertionError as error:
                raise AssertionError(f"{what}: {error}") from error
    assert not taken


@pytest.mark.parametrize("name, tensor, value", [
    ("anomaly-mahalanobis", "whitening", 1e300), ("anomaly-dbscan_noise", "eps", 5e-324), ("umap", "raw_data", 1e200), ("neighbors", "rows", 1e200),
    ("tsne", "rows", 1e200), ("hdbscan", "components", 1e200), ("gmm", "means", 1e200),
])
def test_finite_numbers_that_lead_beyond_are_refused(name, tensor, value, rows, tmp_path):
    done(MODELS[name][0], rows, *MODELS[name][1:], "-o", tmp_path / "fit")
    header, data = split_model((tmp_path / "fit/model.safetensors").read_bytes())
    begin = header[tensor]["data_offsets"][0]
    (tmp_path / "bad.safetensors").write_bytes(join_model(header, data[:begin] + struct.pack("<d", value) + data[begin + 8:]))
    refused(run("apply", tmp_path / "bad.safetensors", rows, "-o", tmp_path / "out", "--json"), (7,), tmp_path / "out")


def test_a_model_of_other_columns_is_refused(rows, tmp_path):
    np.save(tmp_path / "wide.npy", np.zeros((5, 4)))
    np.save(tmp_path / "narrow.npy", np.zeros((5, 2)))
    out = tmp_path / "out"
    for name, args in MODELS.items():
        if name.startswith("text"):
            continue  # its columns are words of a text
        done(args[0], rows, *args[1:], "-o", tmp_path / name)
        for table in ("narrow", "wide"):
            # Preprocessing finds its columns by name, so others beside them do no harm.
            if (name, table) != ("preprocess", "wide"):
                refused(run("apply", tmp_path / name / "model.safetensors", tmp_path / f"{table}.npy", "-o", out, "--json"), (3,), out)


def test_a_missing_model_is_input_output(rows, tmp_path):
    refused(run("apply", tmp_path / "no.safetensors", rows, "-o", tmp_path / "out", "--json"), (4,), tmp_path / "out")


# ---- pipeline files

HEAD = "sluice: 1\ninput: {path: x.npy}\n"


@pytest.mark.parametrize("text, line, says", [
    ("input: {path: x.npy}\n", 1, "sluice: 1"),
    ("sluice: 2\ninput: {path: x.npy}\n", 1, "sluice: 1"),
    ("sluice: 1\n", None, "input"),
    ("sluice: 1\ninput: x.npy\n", 2, "input"),
    ("sluice: 1\ninput: {label: 3}\n", 2, "path"),
    ("sluice: 1\ninput: {path: x.npy, lable: a}\n", 2, "did you mean label?"),
    ("sluice: 1\ninput: {path: x.npy, header: perhaps}\n", 2, "true"),
    ("sluice: 1\ninput: {path: x.npy, size: big}\n", 2, "size"),
    ("sluice: 1\ninput: {path: x.npy, path: y.npy}\n", 2, "given twice"),
    (HEAD + "sead: 3\n", 3, "did you mean seed?"),
    (HEAD + "seed: three\n", 3, "seed"),
    (HEAD + "seed: -1\n", 3, "seed"),
    (HEAD + "seed: [1]\n", 3, "single value"),
    (HEAD + "seed: 1\nseed: 1\n", 4, "given twice"),
    (HEAD + "stages: kmeans\n", 3, "stages"),
    (HEAD + "stages: {clustre: {}}\n", 3, "did you mean cluster?"),
    (HEAD + "stages:\n  cluster:\n    method: kmaens\n", 5, "kmeans"),
    (HEAD + "stages:\n  cluster:\n    method: kmeans\n    n_cluster: 3\n", 6, "did you mean n_clusters?"),
    (HEAD + "stages:\n  cluster:\n    method: kmeans\n    n_clusters: three\n", 6, "n_clusters"),
    (HEAD + "stages:\n  cluster:\n    method: kmeans\n    n_clusters: 0\n", 6, "n_clusters"),
    (HEAD + "stages:\n  cluster:\n    method: kmeans\n    n_clusters: 3\n    n_clusters: 3\n", 7, "given twice"),
    (HEAD + "stages:\n  cluster: {method: pca}\n", 4, "pca"),
    (HEAD + "stages:\n  cluster: {method: kmeans, eps: 1}\n", 4, "eps"),
    (HEAD + "stages:\n  reduce: {method: kmeans}\n", 4, "kmeans"),
    (HEAD + "stages:\n  reduce: {method: pca, n_components: {a: 1}}\n", 4, "single value"),
    (HEAD + "stages:\n  preprocess: {scale: hard}\n", 4, "scale"),
    (HEAD + "stages:\n  preprocess: {sclae: auto}\n", 4, "did you mean scale?"),
    (HEAD + "stages:\n  preprocess: [scale]\n", 4, "preprocess"),
    (HEAD + "stages:\n  decision: maybe\n", 4, "maybe"),
    (HEAD + "stages:\n  decision: {rules: 1}\n", 4, "single value"),
    (HEAD + "stages:\n  apply: {balance: 3}\n", 4, "balance"),
    (HEAD + "stages:\n  apply: {dedup_distance: -1}\n", 4, "dedup_distance"),
    *[(HEAD + f"stages:\n  reduce: off\n  {stage}: {{method: auto}}\n", 5, f"stage {stage} is not there yet")
      for stage in ("pretrain", "train")],
    (HEAD + "stages:\n  select: {budgte: 5}\n", 4, "did you mean budget?"),
    (HEAD + "stages:\n  select: {budget: 0}\n", 4, "budget"),
    *[(HEAD + f"stages:\n  reduce: off\n  {stage}: {{method: nothing}}\n", 5, "nothing") for stage in ("rules", "generate", "anomaly")],
    (HEAD + "stages: {cluster: [\n", None, "YAML"),
    (HEAD + "stages:\n\tcluster: {}\n", 4, "YAML"),
    (HEAD + "? [a, b]\n: 3\n", 3, "single value"),
    ("", None, ""),
    ("[1, 2]\n", 1, "mapping"),
    ("[" * 50000, None, ""),
    ("a: &a [*a]\n", None, ""),
    ("\0\1\2\xff", None, ""),
])
@pytest.mark.parametrize("command", ["plan", "run"])
def test_pipeline_files(text, line, says, command, tmp_path):
    np.save(tmp_path / "x.npy", np.arange(12.0).reshape(6, 2))
    (tmp_path / "p.yaml").write_bytes(text.encode("latin-1"))
    out = tmp_path / "out"
    said = refused(run(command, tmp_path / "p.yaml", "-o", out, "--json", timeout=30), (2,), out)
    assert says in said and "p.yaml" in said
    if line is not None:
        assert f"p.yaml:{line}: " in said


@pytest.mark.parametrize("size", range(0, 240, 8))
def test_a_cut_pipeline_file_never_crashes(size, tmp_path):
    text = ("sluice: 1\ninput: {path: x.npy}\nseed: 0\nstages:\n  preprocess: {scale: auto, impute: median}\n  reduce: {method: pca, n_components: 0.95}\n"
            "  cluster: {method: kmeans, n_clusters: 10}\n  decision: auto\n  apply: {balance: true, dedup: true}\n")
    (tmp_path / "p.yaml").write_text(text[:size])
    ended = run("plan", tmp_path / "p.yaml", "--json", timeout=30)
    if ended.code:
        refused(ended, (2,))
