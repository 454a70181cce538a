"""What scripts may rely on at the command line: exit codes, error lines, files, options."""
import fcntl
import gzip
import json
import os
import pathlib
import re
import signal
import subprocess
import sys
import time

import pytest

from sluice_program import PROGRAM, ROOT, command, done, manifest_hash, needs_program, run, write_csv, write_gzip_csv

np = pytest.importorskip("numpy")


@pytest.fixture
def table(tmp_path):
    """200 rows of 4 columns as npy, csv with id, label and a text column."""
    rng = np.random.default_rng(1)
    x = (rng.normal(size=(200, 4)) + 4 * rng.integers(0, 3, (200, 1))).astype(np.float32)
    np.save(tmp_path / "x.npy", x)
    write_csv(tmp_path / "x.csv", list("abcd"), x)
    with open(tmp_path / "mixed.csv", "w") as file:
        file.write("name,a,b,c,d,kind\n")
        for i, row in enumerate(x):
            file.write(f"row {i}," + ",".join(repr(float(v)) for v in row) + f",{'odd' if i % 2 else 'even'}\n")
    return x


def refused(ended, code):
    """Failed with this code and exactly one line WHERE: WHAT; REMEDY."""
    assert ended.code == code, (ended.code, ended.err)
    lines = [line for line in ended.err.splitlines() if line.startswith("sluice: error: ")]
    assert len(lines) == 1 and ": " in lines[0][15:] and "; " in lines[0], ended.err
    return lines[0]


@pytest.mark.parametrize("args, code, says", [
    (["kmaens", "x.npy"], 2, "did you mean kmeans?"),
    (["kmeans", "x.npy", "--n-cluster", "3"], 2, "did you mean --n-clusters?"),
    (["kmeans", "x.npy", "--n-clusters", "three"], 2, "whole number"),
    (["kmeans", "x.npy", "--n-clusters"], 2, "value is missing"),
    (["kmeans"], 2, "nothing to work on"),
    (["kmeans", "x.npy", "--metric", "hamming"], 2, "euclidean | manhattan | cosine"),
    (["kmeans", "x.npy", "--n-clusters", "201"], 3, "201 clusters of 200 rows"),
    (["kmeans", "nothing.npy"], 4, "no such file"),
    (["kmeans", "mixed.csv"], 3, "--exclude name"),
    (["kmeans", "x.csv", "--columns", "q"], 3, "no such column"),
    (["kmeans", "s3://bucket/x.npy"], 2, "s3"),
    (["kmeans", "x.npy", "--memory", "5K"], 2, "--memory"),
    (["kmeans", "x.npy", "--threads", "0"], 2, "--threads"),
    (["pca", "x.npy", "--n-components", "9"], 3, "9"),
    (["dbscan", "x.npy", "--eps", "-1"], 2, "--eps"),
    (["evaluate", "x.npy"], 2, "--labels"),
    (["preprocess", "x.npy", "--nan", "drop"], 2, "--impute"),
    (["make", "blobs", "--columns", "a"], 2, "means nothing to sluice make"),
    (["pca", "x.npy", "--assignments", "csv"], 2, "means nothing to sluice pca"),
    (["vae", "x.npy"], 2, "planned and not there yet"),
    (["run", "nothing.yaml"], 4, "no such file"),
    (["verify", "nothing"], 4, "no such folder"),
])
def test_refusals(args, code, says, table, tmp_path):
    out = tmp_path / "out"
    ended = run(*args, "-o", out, "--json", cwd=tmp_path)
    assert says in refused(ended, code)
    error = ended.json["error"]
    assert error["code"] == code and {"where", "message"} <= set(error)
    assert not out.exists() and not pathlib.Path(f"{out}.work").exists()


@pytest.mark.parametrize("name, content, code", [
    ("empty.csv", "", 3), ("header.csv", "a,b\n", 3), ("ragged.csv", "a,b\n1,2\n3\n", 3), ("text.csv", "a\n1\nx\n", 3),
    ("quote.csv", 'a\n"1\n', 3), ("huge.csv", "a\n1e999\n", 3), ("nan.csv", "a\n1\nnan\n", 3), ("inf.csv", "a\n1\ninf\n", 3),
    ("overflow.csv", "a\n1e300\n2\n", 8), ("cut.npy", "\x93NUMPY", 3), ("twice.csv", "a,a\n1,2\n", 3), ("not.npz", "PK", 3),
])
def test_bad_files(name, content, code, tmp_path):
    (tmp_path / name).write_bytes(content.encode("latin-1"))
    line = refused(run("kmeans", tmp_path / name, "--n-clusters", 1, "-o", tmp_path / "out"), code)
    if name == "ragged.csv":
        assert "ragged.csv:3" in line


@pytest.mark.parametrize("content, rows", [("a\n5\n", 1), ("a,b\n1,2\n", 1), ("a\n1\n1\n1\n", 3), ("a\n1e38\n-1e38\n", 2), ("\ufeffa,b\r\n1,2\r\n3,4\r\n", 2)])
def test_odd_but_valid_files(content, rows, tmp_path):
    (tmp_path / "x.csv").write_text(content, encoding="utf-8", newline="")
    for args in (["kmeans", "--n-clusters", 1], ["dbscan"]):
        assert done(args[0], tmp_path / "x.csv", *args[1:], "-o", tmp_path / args[0]).json["input"]["rows"] == rows


def test_summary_manifest_and_files(table, tmp_path):
    out = tmp_path / "out"
    ended = done("kmeans", tmp_path / "x.npy", "--n-clusters", 3, "-o", out)
    assert json.loads((out / "summary.json").read_text()) == ended.json
    assert {"command", "version", "params", "input", "result"} <= set(ended.json)
    manifest = json.loads((out / "manifest.json").read_text())
    listed = {file["name"] for file in manifest["files"]}
    assert listed == {p.name for p in out.iterdir()} - {"manifest.json", "run.json"}
    times = json.loads((out / "run.json").read_text())
    assert set(times["stages"]) == {"read", "fit", "write"} and abs(sum(times["stages"].values()) - times["seconds"]) < 1e-3
    assert manifest["rows"] == {"in": 200, "kept": 200, "dropped": {}, "rejected": 0}
    labels = np.load(out / "labels.npy")
    assert labels.dtype == np.int32 and np.bincount(labels).tolist() == ended.result["cluster_sizes"]
    assert (out / "centers.csv").read_text().splitlines()[0] == "c0,c1,c2,c3"
    page = (out / "report.html").read_text()
    assert "http" not in page.replace("http://www.w3.org", "")
    words = re.sub(r"[A-Za-z0-9+/=]{80,}", "", page.split("</style>")[-1].split("<script>")[0])  # a short name may stand in packed columns by chance
    assert str(tmp_path) not in page
    for secret in (str(tmp_path), os.uname().nodename):
        assert not re.search(rf"\b{re.escape(secret)}\b", words) and secret not in (out / "manifest.json").read_text()


def test_apply_gives_the_rows_their_labels(table, tmp_path):
    for args in (["kmeans", "--n-clusters", 3], ["dbscan", "--eps", 1.5], ["pca", "--n-components", 2], ["kmeans", "--n-clusters", 3, "--metric", "cosine"], ["preprocess", "--outliers", "iqr", "--duplicates", "drop"], ["tsne", "--max-iter", 20], ["svd"], ["random-projection", "--n-components", 3], ["umap", "--n-epochs", 20], ["select", "--budget", 5]):
        fit, again = tmp_path / "fit", tmp_path / "again"
        done(args[0], tmp_path / "x.npy", *args[1:], "-o", fit)
        done("apply", fit / "model.safetensors", tmp_path / "x.npy", "-o", again)
        name = {"preprocess": "X.npy"}.get(args[0], "labels.npy" if (fit / "labels.npy").exists() else "embedding.npy")
        assert np.array_equal(np.load(fit / name), np.load(again / name)), args


def test_columns_label_id_and_exclude(table, tmp_path):
    out = tmp_path / "out"
    ended = done("kmeans", tmp_path / "mixed.csv", "--n-clusters", 3, "--label", "kind", "--id", "name", "-o", out)
    assert ended.json["input"]["columns"] == 4 and {"ari", "nmi", "ami", "v_measure", "purity"} <= set(ended.result)
    lines = (out / "assignments.csv").read_text().splitlines()
    assert lines[0] == "id,row,cluster,distance" and lines[1].startswith("row 0,0,")
    same = np.load(out / "labels.npy")
    for choice in (["--columns", "a,b,c,d"], ["--columns", "1,2,3,4"], ["--exclude", "name,kind"], ["--exclude", "0,-1"]):
        done("kmeans", tmp_path / "mixed.csv", "--n-clusters", 3, *choice, "-o", out)
        assert np.array_equal(np.load(out / "labels.npy"), same), choice
    (tmp_path / "labels.txt").write_text("\n".join("odd" if i % 2 else "even" for i in range(200)))
    from_file = done("kmeans", tmp_path / "x.npy", "--n-clusters", 3, "--label", tmp_path / "labels.txt", "-o", out)
    assert from_file.result["ari"] == ended.result["ari"]


def test_missing_values(table, tmp_path):
    x = table.copy()
    x[5, 1] = np.nan
    x[9, 2] = np.inf
    np.save(tmp_path / "gaps.npy", x)
    line = refused(run("kmeans", tmp_path / "gaps.npy", "--n-clusters", 2, "-o", tmp_path / "out"), 3)
    assert "row 5" in line and "1 missing" in line and "1 infinite" in line
    out = tmp_path / "drop"
    done("kmeans", tmp_path / "gaps.npy", "--n-clusters", 2, "--nan", "drop", "-o", out)
    kept = np.load(out / "rows.npy")
    assert kept.dtype == np.int64 and kept.tolist() == [i for i in range(200) if i not in (5, 9)]
    assert len(np.load(out / "labels.npy")) == 198
    assert json.loads((out / "manifest.json").read_text())["rows"] == {"in": 200, "kept": 198, "dropped": {"missing value": 2}, "rejected": 0}
    done("kmeans", tmp_path / "gaps.npy", "--n-clusters", 2, "--nan", "impute", "-o", tmp_path / "impute")
    assert len(np.load(tmp_path / "impute/labels.npy")) == 200


def test_formats_give_one_content(table, tmp_path):
    import zipfile  # noqa: F401  (npz is a zip)

    x = table
    np.savez(tmp_path / "x.npz", other=x[:, :1], X=x)
    np.savez_compressed(tmp_path / "deflated.npz", X=x)
    np.save(tmp_path / "fortran.npy", np.asfortranarray(x))
    np.save(tmp_path / "big.npy", x.astype(">f8"))
    names = [f"c{i}" for i in range(4)]
    write_csv(tmp_path / "c.csv", names, x)
    write_gzip_csv(tmp_path / "c.csv.gz", names, x)
    (tmp_path / "c.tsv").write_text((tmp_path / "c.csv").read_text().replace(",", "\t"))
    with open(tmp_path / "c.jsonl", "w") as file:
        for row in x:
            file.write(json.dumps({n: float(v) for n, v in zip(names, row)}) + "\n")
    (tmp_path / "bare.csv").write_text("\n".join((tmp_path / "c.csv").read_text().splitlines()[1:]))
    np.save(tmp_path / "first.npy", x[:77])
    np.save(tmp_path / "second.npy", x[77:])
    inputs = [["x.npy"], ["x.npz"], ["deflated.npz"], ["fortran.npy"], ["big.npy"], ["c.csv"], ["c.csv.gz"], ["c.tsv"], ["c.jsonl"], ["bare.csv", "--no-header"],
              ["first.npy", "second.npy"]]
    hashes = {}
    for words in inputs:
        done("kmeans", *[tmp_path / w if not w.startswith("--") else w for w in words], "--n-clusters", 3, "-o", tmp_path / "o")
        hashes[words[0]] = manifest_hash(tmp_path / "o")
    piped = done("kmeans", "-", "--n-clusters", 3, "-o", tmp_path / "o", stdin=(tmp_path / "c.csv").read_text())
    assert piped.code == 0
    hashes["-"] = manifest_hash(tmp_path / "o")
    assert len(set(hashes.values())) == 1, hashes


def test_small_types_and_list_columns(tmp_path):
    rng = np.random.default_rng(2)
    x = rng.integers(-100, 100, (60, 3))
    for kind in ("int8", "float16", "int64", "uint8"):
        np.save(tmp_path / f"{kind}.npy", np.abs(x).astype(kind) if kind == "uint8" else x.astype(kind))
        done("kmeans", tmp_path / f"{kind}.npy", "--n-clusters", 2, "-o", tmp_path / kind)
    assert manifest_hash(tmp_path / "int8") == manifest_hash(tmp_path / "float16") == manifest_hash(tmp_path / "int64")
    pa = pytest.importorskip("pyarrow")
    import pyarrow.parquet as pq

    pq.write_table(pa.table({"emb": pa.array(x.astype(np.float32).tolist(), pa.list_(pa.float32(), 3)), "name": [f"r{i}" for i in range(60)]}), tmp_path / "emb.parquet")
    done("kmeans", tmp_path / "emb.parquet", "--columns", "emb", "--id", "name", "--n-clusters", 2, "-o", tmp_path / "emb")
    assert np.array_equal(np.load(tmp_path / "emb/labels.npy"), np.load(tmp_path / "int8/labels.npy"))


def test_foreign_folders_are_kept(table, tmp_path):
    out = tmp_path / "mine"
    out.mkdir()
    (out / "precious.txt").write_text("x")
    refused(run("kmeans", tmp_path / "x.npy", "--n-clusters", 2, "-o", out), 2)
    assert (out / "precious.txt").exists()
    done("kmeans", tmp_path / "x.npy", "--n-clusters", 2, "-o", out, "--overwrite")
    assert not (out / "precious.txt").exists()
    done("kmeans", tmp_path / "x.npy", "--n-clusters", 3, "-o", out)


def test_a_locked_output_is_refused(table, tmp_path):
    needs_program()
    work = tmp_path / "out.work"
    work.mkdir()
    lock = os.open(work, os.O_RDONLY)
    fcntl.flock(lock, fcntl.LOCK_EX)
    refused(run("kmeans", tmp_path / "x.npy", "--n-clusters", 2, "-o", tmp_path / "out"), 10)
    os.close(lock)


def test_interrupted_runs_go_on_to_the_same_manifest(tmp_path):
    needs_program()
    rng = np.random.default_rng(4)
    np.save(tmp_path / "x.npy", rng.normal(size=(120000, 24)).astype(np.float32))
    args = ["kmeans", tmp_path / "x.npy", "--n-clusters", 60, "--max-iter", 80, "--tol", 0, "-q"]
    whole = tmp_path / "whole"
    started = time.time()
    assert run(*args, "-o", whole).code == 0
    took = time.time() - started
    out = tmp_path / "out"
    process = subprocess.Popen(command([*args, "-o", out]), stderr=subprocess.DEVNULL)
    time.sleep(took * 0.6)
    process.send_signal(signal.SIGINT)
    started = time.time()
    code = process.wait(timeout=30)
    assert time.time() - started < 2.5
    if code == 0:
        pytest.skip("it was done before it could be interrupted")
    assert code == 6 and not out.exists()
    assert run(*args, "-o", out).code == 0
    assert manifest_hash(out) == manifest_hash(whole)
    assert not pathlib.Path(f"{out}.work").exists()


def test_verify_sees_every_change(table, tmp_path):
    out = tmp_path / "out"
    done("kmeans", tmp_path / "x.npy", "--n-clusters", 2, "-o", out)
    assert run("verify", out).code == 0
    labels = out / "labels.npy"
    whole = labels.read_bytes()
    labels.write_bytes(whole[:-1] + bytes([whole[-1] ^ 1]))
    assert "labels.npy" in refused(run("verify", out), 7)
    labels.unlink()
    refused(run("verify", out), 7)
    labels.write_bytes(whole)
    (out / "extra").write_text("x")
    refused(run("verify", out), 7)


def test_damaged_models_are_refused(table, tmp_path):
    for args in (["kmeans", "--n-clusters", 2], ["pca", "--n-components", 2], ["dbscan", "--eps", 1.5], ["preprocess"]):
        out = tmp_path / args[0]
        done(args[0], tmp_path / "x.npy", *args[1:], "-o", out)
        whole = (out / "model.safetensors").read_bytes()
        rng = np.random.default_rng(7)
        codes = set()
        for i in range(40):
            bad = bytearray(whole)
            place = int(rng.integers(0, len(bad)))
            if i % 4 == 0:
                bad = bad[:place]
            elif i % 4 == 1:
                bad[place] ^= 1 << int(rng.integers(0, 8))
            elif i % 4 == 2:
                bad[place:place + 8] = b"\xff" * 8
            else:
                bad[place:place] = bad[max(0, place - 20):place]
            (tmp_path / "bad.safetensors").write_bytes(bad)
            ended = run("apply", tmp_path / "bad.safetensors", tmp_path / "x.npy", "-o", tmp_path / "o")
            assert ended.code in (0, 3, 7, 8), (args, i, ended.code, ended.err)
            if ended.code:
                refused(ended, ended.code)
            codes.add(ended.code)
        assert 7 in codes


def test_the_classic_example(tmp_path):
    done("make", "blobs", "--n-samples", 1000, "--centers", 10, "--cluster-std", 1.0, "--seed", 0, "-o", tmp_path / "blobs")
    x, y = np.load(tmp_path / "blobs/X.npy"), np.load(tmp_path / "blobs/y.npy")
    assert x.shape == (1000, 2) and y.shape == (1000,)
    datasets = pytest.importorskip("sklearn.datasets")
    rx, ry = datasets.make_blobs(n_samples=1000, centers=10, cluster_std=1.0, random_state=0)
    assert np.allclose(x, rx, atol=1e-12, rtol=0) and np.array_equal(y, ry)
    ended = done("kmeans", tmp_path / "blobs/X.npy", "--n-clusters", 10, "-o", tmp_path / "km")
    assert ended.result["inertia"] < 1773.4 * 1.001
    assert done("choose-k", tmp_path / "blobs/X.npy", "-o", tmp_path / "ck").result["n_clusters"] == 10


@pytest.mark.parametrize("kind, made", [("moons", "make_moons"), ("circles", "make_circles"), ("swiss-roll", "make_swiss_roll")])
def test_made_sets_equal_scikit_learns(kind, made, tmp_path):
    datasets = pytest.importorskip("sklearn.datasets")
    done("make", kind, "--n-samples", 301, "--noise", 0.05, "--seed", 7, "-o", tmp_path / "o")
    rx, ry = getattr(datasets, made)(n_samples=301, noise=0.05, random_state=7)
    assert np.allclose(np.load(tmp_path / "o/X.npy"), rx, atol=1e-12, rtol=0)
    assert np.allclose(np.load(tmp_path / "o/y.npy"), ry, atol=1e-12, rtol=0)


def test_the_whole_flow(table, tmp_path):
    (tmp_path / "p.yaml").write_text(f"sluice: 1\ninput: {{path: mixed.csv, id: name, label: kind}}\nstages:\n  cluster: {{method: kmeans, n_clusters: auto}}\n")
    out = tmp_path / "out"
    ended = done("run", tmp_path / "p.yaml", "-o", out)
    assert ended.result["decision"]["decision"] == "yes" and ended.result["cluster"]["n_clusters"] == 3
    ledger = (out / "curated/ledger.csv").read_text().splitlines()
    assert ledger[0] == "row,id,fate,stage,reason,witness,distance" and len(ledger) == 201
    rows = (out / "curated/rows.csv").read_text().splitlines()
    assert rows[0] == "id,row,cluster,weight,anomaly_score,anomalous,name,a,b,c,d,kind" and len(rows) == 201
    weights = [float(line.split(",")[3]) for line in rows[1:]]
    assert abs(sum(weights) - 200) < 1e-9
    header, *centers = (out / "cluster/centers.csv").read_text().splitlines()
    assert header == "a,b,c,d" and len(centers) == 3
    noise = np.random.default_rng(3).normal(size=(300, 3))
    np.save(tmp_path / "noise.npy", noise)
    (tmp_path / "q.yaml").write_text("sluice: 1\ninput: {path: noise.npy}\n")
    assert done("run", tmp_path / "q.yaml", "-o", tmp_path / "no").result["decision"]["decision"] == "no"


def test_pipeline_files_are_checked(table, tmp_path):
    head = "sluice: 1\ninput: {path: x.npy}\nstages:\n"
    for body, says in [("  clutser: {}\n", "did you mean cluster?"), ("  train: {labels: [1.0]}\n", "stage train is not there yet"),
                       ("  cluster: {method: kmeans, n_clusters: 2, n_clusters: 3}\n", "given twice"), ("  reduce: {method: pca, n_components: [1]}\n", "single value")]:
        (tmp_path / "p.yaml").write_text(head + body)
        line = refused(run("run", tmp_path / "p.yaml", "-o", tmp_path / "out"), 2)
        assert says in line and "p.yaml:4" in line


def test_init_writes_a_file_that_runs(table, tmp_path):
    proposed = run("init", tmp_path / "mixed.csv")
    assert proposed.code == 0
    (tmp_path / "p.yaml").write_text(proposed.out)
    done("run", tmp_path / "p.yaml", "-o", tmp_path / "out")
    assert run("plan", tmp_path / "p.yaml").code == 0


def test_a_folder_of_pictures(tmp_path):
    folder = tmp_path / "photos"
    subprocess.run([sys.executable, ROOT / "examples/digits/make_png.py", folder], check=True, cwd=tmp_path)
    (folder / "zz-broken.png").write_bytes(b"\x89PNG\r\n\x1a\nnot a picture")
    out = tmp_path / "out"
    ended = done("kmeans", folder, "--n-clusters", 10, "-o", out)
    assert ended.json["input"] == {"rows": 1001, "columns": 64}
    assert json.loads((out / "manifest.json").read_text())["rows"]["rejected"] == 1
    first = sorted(p.name for p in folder.iterdir())[0]
    assert (out / "assignments.csv").read_text().splitlines()[1].startswith(f"{first},0,")


def test_a_rejected_picture_has_a_line_in_the_ledger(tmp_path):
    folder = tmp_path / "photos"
    subprocess.run([sys.executable, ROOT / "examples/digits/make_png.py", folder], check=True, cwd=tmp_path)
    for picture in sorted(folder.iterdir())[60:]:
        picture.unlink()
    (folder / "zz-broken.png").write_bytes(b"\x89PNG\r\n\x1a\nnot a picture")
    (tmp_path / "p.yaml").write_text("sluice: 1\ninput: {path: photos}\nstages:\n  cluster: {method: kmeans, n_clusters: 3}\n")
    done("run", tmp_path / "p.yaml", "-o", tmp_path / "out", cwd=tmp_path)
    lines = (tmp_path / "out/curated/ledger.csv").read_text().splitlines()
    assert len(lines) == 1 + 61
    assert lines[-1].startswith(",zz-broken.png,rejected,read,") and "damaged PNG" in lines[-1]


def test_apply_finds_columns_by_name(tmp_path):
    x = np.random.default_rng(5).normal(size=(200, 2)) * [1, 50] + np.arange(200)[:, None] % 2 * [9, 0]
    np.savetxt(tmp_path / "a.csv", x, delimiter=",", header="u,v", comments="")
    np.savetxt(tmp_path / "b.csv", np.c_[x[:, 1], np.ones(200), x[:, 0]], delimiter=",", header="v,more,u", comments="")
    np.savetxt(tmp_path / "c.csv", x[:, ::-1], delimiter=",", header="v,width", comments="")
    done("kmeans", tmp_path / "a.csv", "--n-clusters", 2, "-o", tmp_path / "km")
    model = tmp_path / "km/model.safetensors"
    done("apply", model, tmp_path / "b.csv", "-o", tmp_path / "b")
    assert np.array_equal(np.load(tmp_path / "b/labels.npy"), np.load(tmp_path / "km/labels.npy"))
    line = refused(run("apply", model, tmp_path / "c.csv", "-o", tmp_path / "c"), 3)
    assert "column u" in line and "--columns" in line
    done("apply", model, tmp_path / "c.csv", "--columns", "width,v", "-o", tmp_path / "c")
    assert np.array_equal(np.load(tmp_path / "c/labels.npy"), np.load(tmp_path / "km/labels.npy"))
    np.save(tmp_path / "d.npy", x)
    done("apply", model, tmp_path / "d.npy", "-o", tmp_path / "d")
    assert np.array_equal(np.load(tmp_path / "d/labels.npy"), np.load(tmp_path / "km/labels.npy")), "no names: by place"


def test_options_without_effect_are_refused(table, tmp_path):
    np.save(tmp_path / "centers.npy", np.load(tmp_path / "x.npy")[:3])
    for words, name in ((["--batch-size", 64], "--batch-size"), (["--init", tmp_path / "centers.npy", "--n-init", 4], "--n-init")):
        line = refused(run("kmeans", tmp_path / "x.npy", "--n-clusters", 3, *words, "-o", tmp_path / "o"), 2)
        assert name in line
        assert not (tmp_path / "o").exists()


def test_a_full_standard_output_is_an_error(table, tmp_path):
    needs_program()
    with open("/dev/full", "w") as full:
        ended = subprocess.run([PROGRAM, "kmeans", tmp_path / "x.npy", "-o", tmp_path / "o"], stdout=full, stderr=subprocess.PIPE, text=True)
    assert ended.returncode == 4 and "standard output" in ended.stderr
    assert (tmp_path / "o/manifest.json").exists(), "the folder was complete by then"


@pytest.mark.parametrize("rows", [1, 7, 8193])
def test_other_leaves_change_rounding_only(rows, table, tmp_path):
    for args in (["kmeans", "--n-clusters", 3], ["pca", "--n-components", 2], ["dbscan", "--eps", 1.5], ["preprocess", "--scale", "robust"]):
        plain, other = tmp_path / "plain", tmp_path / "other"
        a = done(args[0], tmp_path / "x.npy", *args[1:], "-o", plain).result
        b = done(args[0], tmp_path / "x.npy", *args[1:], "-o", other, env={"SLUICE_LEAF_ROWS": str(rows)}).result
        for key in set(a) & {"inertia", "explained_variance"}:
            assert np.allclose(a[key], b[key], rtol=1e-10)
        for name in ("labels.npy", "embedding.npy", "X.npy"):
            if (plain / name).exists():
                assert np.allclose(np.load(plain / name), np.load(other / name), rtol=1e-9, atol=1e-12), (args, name)


@pytest.mark.parametrize("args", [["kmeans", "--n-clusters", 4, "--max-iter", 2, "--init", "random"], ["pca", "--n-components", 3]])
def test_memory_is_bounded_and_changes_nothing(args, tmp_path):
    needs_program()
    rng = np.random.default_rng(8)
    np.save(tmp_path / "big.npy", rng.standard_normal((1_500_000, 32), np.float32))
    models = []
    for limit in ("96M", "2G"):
        out = tmp_path / limit
        done(args[0], tmp_path / "big.npy", *args[1:], "--memory", limit, "-o", out)
        models.append((out / "model.safetensors").read_bytes())
        if limit == "96M":
            assert json.loads((out / "run.json").read_text())["peak_memory"] < 96 << 20
    assert models[0] == models[1]


def test_dbscan_memory_does_not_grow_with_eps(tmp_path):
    rng = np.random.default_rng(9)
    np.save(tmp_path / "x.npy", rng.uniform(size=(180_000, 2)))
    out = tmp_path / "out"
    assert done("dbscan", tmp_path / "x.npy", "--eps", 5, "--assignments", "off", "-o", out).result["n_clusters"] == 1
    assert json.loads((out / "run.json").read_text())["peak_memory"] < 1 << 30
