"""Rows from text: --text from the command line, its topics, its model, hostile texts; against scikit-learn on real titles."""
import csv
import gzip
import json

import pytest

from sluice_program import done, manifest_hash, needs_data, needs_mpirun, run

np = pytest.importorskip("numpy")

SUBJECTS = [("cat dog pet fur", "pets"), ("linq query database table", "code"), ("snow rain wind storm", "weather")]


def write_titles(path, extra=()):
    rng = np.random.default_rng(3)
    with open(path, "w", newline="", encoding="utf-8") as file:
        out = csv.writer(file)
        out.writerow(["id", "title", "kind", "weight"])
        for i in range(300):
            words, kind = SUBJECTS[i % 3]
            out.writerow([f"r{i}", " ".join(rng.choice(words.split(), 3)) + " and some more", kind, i % 4])
        for text in extra:
            out.writerow(["extra", text, "none", 1])
    return path


@pytest.fixture
def titles(tmp_path):
    return write_titles(tmp_path / "titles.csv")


def topics(folder):
    with open(folder / "topics.csv", newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


KMEANS = ("--text", "title", "--metric", "cosine", "--n-clusters", 3)


def test_topics_of_titles(titles, tmp_path):
    ended = done("kmeans", titles, *KMEANS, "--label", "kind", "--id", "id", "-o", tmp_path / "out")
    assert ended.result["ari"] == 1
    assert ended.json["params"]["text"] == "title" and ended.json["params"]["min_df"] == "2"
    rows = topics(tmp_path / "out")
    assert [set(r["words"].split("; ")) for r in rows if "cat" in r["words"]] == [{"cat", "dog", "pet", "fur"}]
    assert all(int(r["size"]) == 100 and r["examples"] for r in rows)
    header = (tmp_path / "out/centers.csv").read_text(encoding="utf-8").splitlines()[0].split(",")
    assert header == sorted(header) and "linq" in header
    page = run("kmeans", titles, *KMEANS, "-o", tmp_path / "people").out
    assert "cluster 0 (100): " in page


def test_apply_reads_the_column_of_the_model(titles, tmp_path):
    done("kmeans", titles, *KMEANS, "-o", tmp_path / "fit")
    done("apply", tmp_path / "fit/model.safetensors", titles, "-o", tmp_path / "again")
    assert (np.load(tmp_path / "fit/labels.npy") == np.load(tmp_path / "again/labels.npy")).all()
    renamed = tmp_path / "renamed.csv"
    renamed.write_text(titles.read_text().replace("id,title", "id,headline", 1))
    assert run("apply", tmp_path / "fit/model.safetensors", renamed, "-o", tmp_path / "no").code == 3
    done("apply", tmp_path / "fit/model.safetensors", renamed, "--text", "headline", "-o", tmp_path / "renamed")
    assert (np.load(tmp_path / "fit/labels.npy") == np.load(tmp_path / "renamed/labels.npy")).all()
    assert run("apply", tmp_path / "fit/model.safetensors", titles, "--text", "title", "--min-df", "3", "-o", tmp_path / "no").code == 2


@pytest.mark.parametrize("args", [("kmeans", *KMEANS, "--weight", "weight"), ("kmeans", "--text", "title", "--n-clusters", 3),
                                  ("kmeans", "--text", "title", "--n-clusters", 3, "--metric", "manhattan", "--n-init", 1),
                                  ("pca", "--text", "title", "--n-components", 2),
                                  ("pca", "--text", "title", "--n-components", 2, "--svd-solver", "randomized"),
                                  ("svd", "--text", "title", "--n-components", 5, "--algorithm", "randomized", "--weight", "weight"),
                                  ("neighbors", "--text", "title", "--metric", "cosine"),
                                  ("neighbors", "--text", "title", "--radius", 0.8), ("dbscan", "--text", "title", "--eps", 0.5)])
def test_one_manifest(titles, tmp_path, args):
    cells = [("--threads", 1), ("--threads", 3), ("--threads", 2, "--memory", "32M")]
    hashes = []
    for i, cell in enumerate(cells):
        done(args[0], titles, *args[1:], *cell, "-o", tmp_path / f"out{i}")
        hashes.append(manifest_hash(tmp_path / f"out{i}"))
    assert len(set(hashes)) == 1


def test_ranks_give_the_same_manifest(titles, tmp_path):
    needs_mpirun()
    done("kmeans", titles, *KMEANS, "-o", tmp_path / "one")
    for ranks in (2, 3):
        assert run("kmeans", titles, *KMEANS, "-q", "-o", tmp_path / f"r{ranks}", ranks=ranks).code == 0
        assert manifest_hash(tmp_path / f"r{ranks}") == manifest_hash(tmp_path / "one")


def test_other_words_are_another_manifest(titles, tmp_path):
    done("kmeans", titles, *KMEANS, "-o", tmp_path / "a")
    done("kmeans", titles, *KMEANS, "--stop-words", "none", "-o", tmp_path / "b")
    stop = tmp_path / "stop.txt"
    stop.write_text("Cat\nRAIN\n")
    ended = done("kmeans", titles, *KMEANS, "--stop-words", stop, "-o", tmp_path / "c")
    assert ended.json["params"]["stop_words"].startswith("sha256:")
    assert "cat" not in (tmp_path / "c/centers.csv").read_text().splitlines()[0].split(",")
    assert len({manifest_hash(tmp_path / x) for x in "abc"}) == 3


@pytest.mark.parametrize("args, code, says", [
    (("--min-df", "3"), 2, "goes with --text"),
    (("--text", "title", "--min-df", "2.5"), 2, "give a share"),
    (("--text", "title", "--max-df", "none"), 2, "give a share"),
    (("--text", "title", "--columns", "weight"), 2, "words of --text alone"),
    (("--text", "title", "--nan", "drop"), 2, "row of zeros"),
    (("--text", "weight"), 3, "it holds numbers"),
    (("--text", "titel"), 3, "title"),
    (("--text", "title", "--min-df", "1000"), 3, "no word is left"),
    (("--text", "title", "--stop-words", "nowhere.txt"), 4, "nowhere.txt"),
])
def test_refused(titles, tmp_path, args, code, says):
    ended = run("kmeans", titles, "--n-clusters", 2, *args, "-o", tmp_path / "out")
    assert ended.code == code and says in ended.err, ended.err
    assert not (tmp_path / "out").exists()


def test_commands_that_take_tables_refuse_text(titles, tmp_path):
    assert run("profile", titles, "--text", "title", "-o", tmp_path / "out").code == 2


def test_hostile_texts(tmp_path):
    script = "</script><script>alert(1)</script><img src=x onerror=alert(2)>"
    path = write_titles(tmp_path / "t.csv", ["", "...", "😀😀", "x" * 1_000_000, "a " * 500_000, *[script] * 90, "tab\there\nand \"quoted\", too"])
    ended = done("kmeans", path, "--text", "title", "--metric", "cosine", "--n-clusters", 4, "-o", tmp_path / "out")
    assert len(np.load(tmp_path / "out/labels.npy")) == 396
    assert ended.result["n_clusters"] == 4
    page = (tmp_path / "out/report.html").read_text(encoding="utf-8")
    assert any("alert" in r["words"] for r in topics(tmp_path / "out"))
    assert "<script>alert" not in page and "<img src=x" not in page and "</script><script>alert" not in page
    latin = tmp_path / "latin.csv"
    latin.write_bytes("title\nStra\xdfe nach K\xf6ln\nStra\xdfe in Bonn\n".encode("latin-1"))
    assert run("kmeans", latin, "--text", "title", "--n-clusters", 1, "-o", tmp_path / "no").code == 3
    done("kmeans", latin, "--text", "title", "--encoding", "ISO-8859-1", "--n-clusters", 1, "-o", tmp_path / "yes")
    assert topics(tmp_path / "yes")[0]["examples"].startswith("Straße")


@pytest.mark.parametrize("change", ["order", "words", "idf", "column"])
def test_damaged_text_models(titles, tmp_path, change):
    done("kmeans", titles, *KMEANS, "-o", tmp_path / "fit")
    raw = (tmp_path / "fit/model.safetensors").read_bytes()
    size = int.from_bytes(raw[:8], "little")
    head = json.loads(raw[8:8 + size])
    about = head["__metadata__"]
    if change == "order":
        about["features"] = json.dumps(json.loads(about["features"])[::-1])
    if change == "words":
        about["features"] = json.dumps(json.loads(about["features"])[:-1])
    if change == "column":
        about["text"] = "[]"
    body = bytearray(raw[8 + size:])
    if change == "idf":
        begin = head["text_idf"]["data_offsets"][0]
        body[begin:begin + 8] = np.float64(-1).tobytes()
    text = json.dumps(head).encode()
    text += b" " * (-len(text) % 8)
    bad = tmp_path / "bad.safetensors"
    bad.write_bytes(len(text).to_bytes(8, "little") + text + bytes(body))
    assert run("apply", bad, titles, "-o", tmp_path / "out").code == 7


def test_a_pipeline_of_text(titles, tmp_path):
    plan = tmp_path / "plan.yaml"
    plan.write_text("sluice: 1\ninput: {path: titles.csv, text: title, label: kind, min_df: 3}\n"
                    "stages:\n  reduce: {method: svd, n_components: 4}\n  cluster: {method: kmeans, n_clusters: 3, metric: cosine}\n"
                    "  decision: cluster\n")
    ended = run("run", plan, "-q", "-o", tmp_path / "out")
    assert ended.code == 0, ended.err
    assert any("linq" in r["words"] for r in topics(tmp_path / "out/cluster"))
    plan.write_text("sluice: 1\ninput: {path: titles.csv, min_df: 3}\n")
    assert "goes with input.text" in run("plan", plan).err


def test_neighbours_of_titles(titles, tmp_path):
    done("neighbors", titles, "--text", "title", "--metric", "cosine", "--n-neighbors", 4, "-o", tmp_path / "fit")
    done("apply", tmp_path / "fit/model.safetensors", titles, "-o", tmp_path / "again")
    kinds = np.arange(300) % 3
    assert (kinds[np.load(tmp_path / "fit/indices.npy")] == kinds[:, None]).all()
    assert np.load(tmp_path / "again/distances.npy")[:, 0].max() < 1e-15  # among the old ones, each finds itself or its equal
    assert np.isclose(np.load(tmp_path / "again/distances.npy")[:, 1:], np.load(tmp_path / "fit/distances.npy")[:, :3], atol=1e-15).all()


def test_svd_and_neighbours_are_numpys(titles, tmp_path):
    ended = done("svd", titles, "--text", "title", "--n-components", 6, "--algorithm", "randomized", "-o", tmp_path / "svd")
    done("neighbors", titles, "--text", "title", "--n-neighbors", 3, "-o", tmp_path / "near")
    done("kmeans", titles, *KMEANS, "--n-init", 1, "-o", tmp_path / "words")
    words = (tmp_path / "words/centers.csv").read_text(encoding="utf-8").splitlines()[0].split(",")
    with open(titles, newline="", encoding="utf-8") as file:
        texts = [row["title"].split() for row in csv.DictReader(file)]
    counts = np.array([[text.count(word) for word in words] for text in texts], dtype=float)
    rows = counts * (np.log((1 + len(texts)) / (1 + (counts > 0).sum(axis=0))) + 1)
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    assert np.allclose(ended.result["singular_values"], np.linalg.svd(rows)[1][:6], rtol=1e-8)
    embedding = np.load(tmp_path / "svd/embedding.npy")
    assert np.allclose(ended.result["explained_variance"], embedding.var(axis=0), rtol=1e-9)
    distances = np.linalg.norm(rows[:, None] - rows[None], axis=2)
    np.fill_diagonal(distances, np.inf)
    assert np.allclose(np.load(tmp_path / "near/distances.npy"), np.sort(distances, axis=1)[:, :3], atol=1e-7)


def test_titles_of_a_forum_are_quick(tmp_path):
    """Written out, these rows are 20,000 x 5,422 values; sparse, each of these takes about a second."""
    path = needs_data("text", "stackoverflow_titles.csv.gz")
    for args in (("svd", "--n-components", 100), ("neighbors", "--metric", "cosine"), ("neighbors",)):
        done(args[0], path, "--text", "text", *args[1:], "-o", tmp_path / "out", "--overwrite", timeout=20)


def test_titles_of_a_forum(tmp_path):
    """20,000 titles of 20 subjects: at least as near to them as scikit-learn's k-means on its own TF-IDF (NMI 0.66 with min_df 5)."""
    path = needs_data("text", "stackoverflow_titles.csv.gz")
    result = done("kmeans", path, "--text", "text", "--label", "label", "--metric", "cosine", "--n-clusters", 20, "-o", tmp_path / "out",
                  timeout=300).result
    assert result["nmi"] > 0.6 and result["ari"] > 0.4
    words = " ".join(r["words"] for r in topics(tmp_path / "out"))
    assert all(word in words for word in ("linq", "magento", "wordpress", "haskell"))


def test_chinese_poems(tmp_path):
    path = needs_data("text", "chinese_poetry.jsonl.gz")
    with gzip.open(path, "rt", encoding="utf-8") as file:
        lines = [line for _, line in zip(range(2000), file)]
    (tmp_path / "poems.jsonl").write_text("".join(lines), encoding="utf-8")
    done("kmeans", tmp_path / "poems.jsonl", "--text", "text", "--metric", "cosine", "--n-clusters", 5, "--n-init", 1, "-o", tmp_path / "out")
    assert all(any("\u4e00" <= c <= "\u9fff" for c in r["words"]) for r in topics(tmp_path / "out"))
