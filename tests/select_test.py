"""`sluice select` from outside: which rows are chosen, what labels make of them, new rows, what is refused; and the near duplicates of `run`,
which `verify` checks again."""
import csv
import gzip
import hashlib
import json

import numpy as np
import pytest

from sluice_program import ROOT, done, needs_program, run

DIGITS = ROOT / "examples/digits/digits.csv.gz"
OF_DIGITS = [DIGITS, "--no-header", "--label", -1]


@pytest.fixture(scope="module")
def digits():
    needs_program()
    with gzip.open(DIGITS, "rt") as lines:
        table = np.loadtxt(lines, delimiter=",")
    return table[:, :-1], table[:, -1].astype(int)


def read(path):
    with open(path, encoding="utf-8", newline="") as lines:
        return list(csv.DictReader(lines))


def accuracy(rows, labels, chosen):
    """Of the nearest chosen row, on all others."""
    squares = ((rows[:, None, :] - rows[chosen][None]) ** 2).sum(axis=2)
    others = np.setdiff1d(np.arange(len(rows)), chosen)
    return (labels[chosen][squares[others].argmin(axis=1)] == labels[others]).mean()


def test_each_representative_is_the_row_nearest_its_centre(digits, tmp_path):
    rows, _ = digits
    out = tmp_path / "chosen"
    result = done("select", *OF_DIGITS[:2], "--exclude", -1, "--budget", 50, "-o", out).result
    assert result["n_selected"] == result["budget"] == 50 and "n_propagated" not in result
    assert not (out / "propagated.csv").exists()
    labels = np.load(out / "labels.npy")
    with open(out / "centers.csv", encoding="utf-8") as lines:
        centers = np.array([[float(x) for x in line[-64:]] for line in list(csv.reader(lines))[1:]])
    far = np.sqrt(((rows - centers[labels]) ** 2).sum(axis=1))
    lines = read(out / "to_label.csv")
    assert len(lines) == 50 and len({line["row"] for line in lines}) == 50
    stands_for = [int(line["stands_for"]) for line in lines]
    assert stands_for == sorted(stands_for, reverse=True) and sum(stands_for) == len(rows)
    for line in lines:
        mine = labels == int(line["cluster"])
        assert int(line["stands_for"]) == mine.sum()
        assert int(line["row"]) == np.flatnonzero(mine)[far[mine].argmin()]
        assert float(line["distance"]) == pytest.approx(far[mine].min(), rel=1e-12)
    stands = np.load(out / "representatives.npy")
    assert stands.dtype == np.int64
    assert all(stands[np.flatnonzero(labels == int(line["cluster"]))[0]] == int(line["row"]) for line in lines)


def test_representatives_teach_more_than_random_rows(digits, tmp_path):
    """docs/algorithms/select.md prints these numbers."""
    rows, labels = digits
    text = (ROOT / "docs/algorithms/select.md").read_text(encoding="utf-8")
    for budget in (20, 50, 100):
        ours, random, error = [], [], []
        for seed in range(10):
            out = tmp_path / f"{budget}-{seed}"
            result = done("select", *OF_DIGITS, "--budget", budget, "--seed", seed, "-o", out).result
            error.append(result["propagation_error"])
            chosen = [int(line["row"]) for line in read(out / "to_label.csv")]
            ours.append(accuracy(rows, labels, np.sort(chosen)))
            random.append(accuracy(rows, labels, np.sort(np.random.default_rng(seed).choice(len(rows), budget, replace=False))))
        line = (f"| {budget} | {np.mean(ours):.3f} ± {np.std(ours):.3f} | {np.mean(random):.3f} ± {np.std(random):.3f} | "
                f"{100 * np.mean(error):.1f} % |")
        assert np.mean(ours) > np.mean(random) + 2 * np.std(random) / np.sqrt(10), line
        assert min(ours) > np.mean(random), line
        assert line in text, line


def test_labels_go_to_the_nearest_share(digits, tmp_path):
    rows, labels = digits
    out = tmp_path / "chosen"
    for share in (0, 0.2, 1):
        result = done("select", *OF_DIGITS, "--budget", 30, "--propagate", share, "--overwrite", "-o", out).result
        clusters = np.load(out / "labels.npy")
        far = np.array([float(line["distance"]) for line in read(out / "assignments.csv")])
        chosen = {int(line["cluster"]): int(line["row"]) for line in read(out / "to_label.csv")}
        want = {}
        for cluster, row in chosen.items():
            mine = np.flatnonzero(clusters == cluster)
            others = sorted((far[i], i) for i in mine if i != row)
            take = max(int(np.floor(share * len(mine) + 0.5)), 1) - 1
            want.update({i: row for i in [row, *(i for _, i in others[:take])]})
        got = read(out / "propagated.csv")
        assert [int(line["row"]) for line in got] == sorted(want)
        assert all(int(line["from"]) == want[int(line["row"])] and int(line["label"]) == labels[int(line["from"])] for line in got)
        assert result["n_labelled"] == 30 and result["n_propagated"] == len(want) - 30
        wrong = [labels[i] != labels[row] for i, row in want.items() if i != row]
        assert result["propagation_error"] == (pytest.approx(np.mean(wrong)) if wrong else None)


def test_labels_of_a_file_are_taken_as_they_are_written(digits, tmp_path):
    first = tmp_path / "first"
    args = [DIGITS, "--no-header", "--exclude", -1, "--budget", 12]
    done("select", *args, "-o", first)
    chosen = read(first / "to_label.csv")
    labels = {line["row"]: "" if i == 3 else f"kind, {i % 5}" for i, line in enumerate(chosen)}
    file = tmp_path / "mine.csv"

    def write(lines):
        with open(file, "w", encoding="utf-8", newline="") as to:
            csv.writer(to).writerows([["row", "cluster", "label"], *lines])

    write([[row, 0, label] for row, label in reversed(labels.items())])
    out = tmp_path / "out"
    result = done("select", *args, "--labels", file, "--propagate", 0.5, "-o", out).result
    assert result["n_labelled"] == 11 and "propagation_error" not in result
    assert json.loads((out / "summary.json").read_text())["params"]["labels"].endswith(hashlib.sha256(file.read_bytes()).hexdigest())
    got = read(out / "propagated.csv")
    assert len(got) == result["n_propagated"] + 11
    assert {line["from"] for line in got} == {row for row, label in labels.items() if label}
    assert all(line["label"] == labels[line["from"]] for line in got)
    assert (out / "to_label.csv").read_bytes() == (first / "to_label.csv").read_bytes()
    for lines, words in [([[5000, 0, "a"]], "row 5000 is not among the chosen"), ([[next(iter(labels)), 0, "a"]] * 2, "twice"),
                         ([[row, 0, ""] for row in labels], "no label"), ([["x", 0, "a"]], "no row numbers")]:
        write(lines)
        ended = run("select", *args, "--labels", file, "-o", tmp_path / "bad")
        assert ended.code == 3 and words in ended.err, ended.err
        assert not (tmp_path / "bad").exists()


def test_words_without_effect_are_refused(tmp_path):
    needs_program()
    np.save(tmp_path / "x.npy", np.arange(20.0).reshape(10, 2))
    (tmp_path / "y.txt").write_text("0\n" * 10)
    for words, code, say in [(["--propagate", 0.5], 2, "no labels"), (["--labels", tmp_path / "y.txt", "--label", tmp_path / "y.txt"], 2, "--label"),
                             (["--budget", 11], 3, "at most 10"), (["--budget", 0], 2, "budget"), (["--propagate", 2], 2, "propagate")]:
        ended = run("select", tmp_path / "x.npy", "--budget", 3, *words, "-o", tmp_path / "out")
        assert ended.code == code and say in ended.err, ended.err


def test_more_labels_than_distinct_rows_are_refused(tmp_path):
    needs_program()
    np.save(tmp_path / "x.npy", np.tile(np.arange(12.0).reshape(6, 2), (5, 1)))
    for metric in ("euclidean", "manhattan", "cosine"):
        result = done("select", tmp_path / "x.npy", "--budget", 6, "--metric", metric, "-o", tmp_path / metric).result
        assert result["cluster_sizes"] == [5] * 6 and sorted(int(line["row"]) for line in read(tmp_path / metric / "to_label.csv")) == list(range(6))
        ended = run("select", tmp_path / "x.npy", "--budget", 7, "--metric", metric, "-o", tmp_path / "out")
        assert ended.code == 3 and "there are 6 distinct" in ended.err and "at most 6" in ended.err


def test_dropped_and_weightless_rows(tmp_path):
    """Numbers in the files are the input's; a row of weight 0 is never chosen."""
    needs_program()
    rows = np.random.default_rng(3).normal(size=(60, 3))
    rows[::7, 1] = np.nan
    weights = np.where(np.arange(60) % 2 == 0, 0.0, 2.0)
    with open(tmp_path / "x.csv", "w", encoding="utf-8") as to:
        to.write("a,b,c,w\n")
        to.writelines(f"{a!r},{'' if b != b else repr(float(b))},{c!r},{w}\n" for (a, b, c), w in zip(rows.tolist(), weights))
    done("select", tmp_path / "x.csv", "--budget", 8, "--nan", "drop", "--weight", "w", "-o", tmp_path / "out")
    kept = np.load(tmp_path / "out" / "rows.npy")
    chosen = [int(line["row"]) for line in read(tmp_path / "out" / "to_label.csv")]
    assert set(chosen) <= set(kept) and all(row % 2 == 1 for row in chosen)
    assert set(np.load(tmp_path / "out" / "representatives.npy")) == set(chosen)


def test_a_model_says_who_stands_for_new_rows(digits, tmp_path):
    rows, _ = digits
    done("select", *OF_DIGITS, "--budget", 40, "-o", tmp_path / "fit")
    done("apply", tmp_path / "fit/model.safetensors", *OF_DIGITS, "-o", tmp_path / "new")
    for name in ("labels.npy", "representatives.npy"):
        assert (tmp_path / "fit" / name).read_bytes() == (tmp_path / "new" / name).read_bytes()


PLAN = """sluice: 1
input: {{path: {path}}}
stages:
  preprocess: off
  reduce: off
  cluster: {{method: kmeans, n_clusters: 4}}
  decision: cluster
  apply: {{dedup_distance: {distance}}}
  generate: off
  anomaly: off
"""


@pytest.fixture
def groups(tmp_path):
    needs_program()
    rng = np.random.default_rng(8)
    rows = np.repeat([[0, 0], [40, 0], [0, 40], [40, 40]], 150, axis=0) + rng.normal(size=(600, 2)) * 2
    rows = rows[rng.permutation(600)]
    rows[100] = rows[3]
    np.save(tmp_path / "x.npy", rows)
    return rows


def write_plan(tmp_path, distance, more=""):
    (tmp_path / "plan.yaml").write_text(PLAN.format(path=tmp_path / "x.npy", distance=distance) + more)
    return tmp_path / "plan.yaml"


def near_by_the_rule(rows, labels, distance):
    """For each row its nearest kept row before it of its label within the distance, else -1."""
    witness = np.full(len(rows), -1)
    for i, row in enumerate(rows):
        before = [k for k in range(i) if witness[k] < 0 and labels[k] == labels[i]]
        if before:
            far = np.sqrt(((rows[before] - row) ** 2).sum(axis=1))
            if far.min() <= distance:
                witness[i] = before[far.argmin()]
    return witness


@pytest.mark.parametrize("distance", [0, 0.7, 2.5])
def test_near_rows_have_a_kept_witness_at_the_distance_said(groups, tmp_path, distance):
    out = tmp_path / "out"
    result = done("run", write_plan(tmp_path, distance), "-o", out).result["apply"]
    labels = np.load(out / "cluster/labels.npy")
    witness = near_by_the_rule(groups, labels, distance)
    ledger = read(out / "curated/ledger.csv")
    assert [int(line["witness"] or -1) for line in ledger] == witness.tolist()
    for i, line in enumerate(ledger):
        assert line["fate"] == ("kept" if witness[i] < 0 else "dropped")
        if witness[i] >= 0:
            assert float(line["distance"]) == pytest.approx(np.linalg.norm(groups[i] - groups[witness[i]]), rel=1e-12, abs=0)
            assert float(line["distance"]) <= distance
    assert result["n_kept"] == (witness < 0).sum() == 600 - result["n_duplicates"]
    if distance > 0:
        curve = result["kept_curve"]
        assert curve["kept"][curve["distance"].index(distance)] == result["n_kept"]
        for tau, kept in zip(curve["distance"], curve["kept"]):
            assert kept == (near_by_the_rule(groups, labels, tau) < 0).sum()
        assert "Rows kept against the distance" in (out / "report.html").read_text()
    assert run("verify", out).code == 0


def tamper(out, change):
    """Changes the ledger and brings the manifest in line with it, so that only what the ledger says is wrong."""
    path = out / "curated/ledger.csv"
    lines = read(path)
    change(lines)
    with open(path, "w", encoding="utf-8", newline="") as to:
        writer = csv.DictWriter(to, lines[0].keys(), lineterminator="\n")
        writer.writeheader()
        writer.writerows(lines)
    manifest = json.loads((out / "manifest.json").read_text())
    for file in manifest["files"]:
        if file["name"] == "curated/ledger.csv":
            file["bytes"], file["sha256"] = path.stat().st_size, hashlib.sha256(path.read_bytes()).hexdigest()
    (out / "manifest.json").write_text(json.dumps(manifest))


def keep(lines, i):
    lines[i].update(fate="kept", stage="", reason="", witness="", distance="")


def test_verify_names_the_pair(groups, tmp_path):
    out = tmp_path / "out"
    plan = write_plan(tmp_path, 0.7)

    def fresh():
        done("run", plan, "--overwrite", "-o", out)
        lines = read(out / "curated/ledger.csv")
        dropped = [i for i, line in enumerate(lines) if line["fate"] == "dropped"]
        return dropped[5], int(lines[dropped[5]]["witness"]), dropped

    row, by, dropped = fresh()
    labels = np.load(out / "cluster/labels.npy")
    kept = [i for i in range(600) if i not in dropped]
    far = next(i for i in kept if labels[i] == labels[row] and np.linalg.norm(groups[i] - groups[row]) > 2)
    other = next(i for i in kept if labels[i] != labels[row])
    gone = next(i for i in dropped if i != row)
    cases = [(lambda lines: keep(lines, row), "both are kept", None),
             (lambda lines: lines[row].update(witness=str(gone)), "is not kept", gone),
             (lambda lines: lines[row].update(witness=str(far)), "apart", far),
             (lambda lines: lines[row].update(witness=str(other)), "another cluster", other),
             (lambda lines: lines[row].update(distance="0.25"), "is dropped as 0.25", by)]
    for change, words, second in cases:
        fresh()
        tamper(out, change)
        ended = run("verify", out)
        assert ended.code == 7 and words in ended.err, ended.err
        assert str(row) in ended.err
        if second is not None:
            assert f"rows {row} and {second}" in ended.err


def test_a_stage_chooses_among_the_kept_rows(groups, tmp_path):
    np.save(tmp_path / "y.npy", (groups[:, 0] > 20).astype(np.int64))
    out = tmp_path / "out"
    plan = write_plan(tmp_path, 2.5, "  select: {budget: 9, propagate: 0.5}\n")
    plan.write_text(plan.read_text().replace("x.npy}", f"x.npy, label: {tmp_path / 'y.npy'}}}"))
    result = done("run", plan, "-o", out).result
    ledger = read(out / "curated/ledger.csv")
    chosen = read(out / "select/to_label.csv")
    assert len(chosen) == 9 and all(ledger[int(line["row"])]["fate"] == "kept" for line in chosen)
    assert sum(int(line["stands_for"]) for line in chosen) == 600
    assert result["select"]["n_selected"] == 9 and result["select"]["propagation_error"] == 0
    assert run("verify", out).code == 0
    plan.write_text(plan.read_text().replace("budget: 9", "budget: 601"))
    ended = run("run", plan, "--overwrite", "-o", out)
    assert ended.code == 3 and "budget" in ended.err
    plan = write_plan(tmp_path, 0, "  select: {budget: 9, propagate: 0.5}\n")
    ended = run("plan", plan)
    assert ended.code == 2 and "no labels to propagate" in ended.err
