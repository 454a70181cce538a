"""The main flow by `run`: which stages follow which decision, what they leave, and that a stage is what its command is."""
import csv
import json

import pytest

from sluice_program import ROOT, done, run

np = pytest.importorskip("numpy")

GROUPS = [[0, 0, 0], [9, 0, 0], [0, 9, 0]]


@pytest.fixture
def grouped(tmp_path):
    """300 rows of three groups, four rows far out, and a column of ids."""
    rng = np.random.default_rng(2)
    x = rng.normal(size=(300, 3)) + np.array(GROUPS)[np.arange(300) % 3]
    x[[5, 50, 150, 250]] += [[60, 0, 5], [0, -80, 5], [0, 70, -40], [90, 9, 0]]
    np.savetxt(tmp_path / "grouped.csv", np.c_[np.arange(300), x], delimiter=",", header="id,a,b,c", comments="", fmt=["%d", "%.6f", "%.6f", "%.6f"])
    return x


@pytest.fixture
def structureless(tmp_path):
    rng = np.random.default_rng(3)
    kind = rng.integers(0, 3, 500)
    cells = np.c_[kind, kind, rng.uniform(size=500).round(6)]
    with open(tmp_path / "plain.csv", "w") as file:
        file.write("cap,odor,size\n")
        file.writelines(f"{'xyz'[int(k)]},{['foul', 'none', 'anise'][int(j)]},{v}\n" for k, j, v in cells)
    np.save(tmp_path / "plain.npy", rng.normal(size=(400, 3)))


def flow(tmp_path, data, stages, *more, **how):
    (tmp_path / "p.yaml").write_text(f"sluice: 1\ninput: {{path: {data}}}\nstages:\n" + "".join(f"  {line}\n" for line in stages))
    return run("run", "p.yaml", "-o", "out", "--json", *more, cwd=tmp_path, **how)


def result(tmp_path, stage):
    return json.loads((tmp_path / "out" / stage / "summary.json").read_text())["result"]


def test_a_yes_applies_the_clusters_and_goes_on(grouped, tmp_path):
    ended = flow(tmp_path, "grouped.csv", ["cluster: {method: kmeans, n_clusters: 3}", "anomaly: {method: knn, contamination: 0.0134}"])
    assert ended.code == 0, ended.err
    out = tmp_path / "out"
    assert result(tmp_path, "decision")["decision"] == "yes" and not (out / "rules").exists()
    mixture = result(tmp_path, "generate")
    assert mixture["n_components"] == 3 and mixture["n_samples"] == 150
    samples = np.loadtxt(out / "generate/samples.csv", delimiter=",", skiprows=1)
    assert samples.shape[0] == 150
    assert result(tmp_path, "anomaly")["n_flagged"] == 4
    assert set(np.flatnonzero(np.load(out / "anomaly/flags.npy"))) == {5, 50, 150, 250}
    rows = list(csv.DictReader(open(out / "curated/rows.csv", newline="")))
    assert [i for i, row in enumerate(rows) if row["anomalous"] == "1"] == [5, 50, 150, 250]
    scores = np.load(out / "anomaly/scores.npy")
    assert np.array_equal([float(row["anomaly_score"]) for row in rows], scores)
    assert all((out / name).exists() for name in ("manifest.json", "report.html", "apply/summary.json"))


def test_a_no_leads_to_rules(structureless, tmp_path):
    ended = flow(tmp_path, "plain.npy", ["rules: {method: eclat, min_support: 0.05, min_confidence: 0.3}", "generate: off", "anomaly: off"])
    assert ended.code == 0, ended.err
    assert result(tmp_path, "decision")["decision"] == "no" and not (tmp_path / "out/apply").exists()
    found = result(tmp_path, "rules")
    assert found["n_transactions"] == 400 and found["n_rules"] == len((tmp_path / "out/rules/rules.csv").read_text().splitlines()) - 1
    assert not (tmp_path / "out/generate").exists() and not (tmp_path / "out/anomaly").exists()


def test_rules_by_word_without_clusters(structureless, tmp_path):
    ended = flow(tmp_path, "plain.csv", ["cluster: off", "decision: rules", "generate: off", "anomaly: off",
                                         "rules: {method: fpgrowth, min_support: 0.2, min_confidence: 0.9}"])
    assert ended.code == 0, ended.err
    rules = list(csv.DictReader(open(tmp_path / "out/rules/rules.csv", newline="")))
    assert {"cap=x", "odor=foul"} <= {rule["antecedent_names"] for rule in rules}
    assert all(float(rule["confidence"]) == 1 for rule in rules)


def test_both_branches_by_word(grouped, tmp_path):
    ended = flow(tmp_path, "grouped.csv", ["cluster: [{method: kmeans, n_clusters: 3}, {method: gmm, n_components: 3}]", "decision: both"])
    assert ended.code == 0, ended.err
    out = tmp_path / "out"
    assert result(tmp_path, "decision")["decision"] == "both"
    assert (out / "rules/rules.csv").exists() and (out / "apply/summary.json").exists()
    chosen = json.loads((out / "cluster/summary.json").read_text())["command"]
    place = out / ("cluster/1-kmeans" if chosen == "kmeans" else "cluster/2-gmm")
    assert (place / "labels.npy").read_bytes() == (out / "cluster/labels.npy").read_bytes()


def test_a_stage_is_what_its_command_is(grouped, tmp_path):
    off = ["preprocess: off", "reduce: off", "cluster: {method: kmeans, n_clusters: 3}", "rules: off"]
    ended = flow(tmp_path, "grouped.csv", [*off, "generate: {method: gmm, n_components: 3, covariance_type: diag, augment: 0}", "anomaly: {method: ecod, contamination: 0.1}"])
    assert ended.code == 0, ended.err
    for stage, command in {"cluster": ["kmeans", "--n-clusters", 3], "generate": ["gmm", "--n-components", 3, "--covariance-type", "diag"],
                           "anomaly": ["anomaly", "--method", "ecod", "--contamination", 0.1]}.items():
        done(*command, tmp_path / "grouped.csv", "-o", tmp_path / stage)
        name = "scores.npy" if stage == "anomaly" else "labels.npy"
        assert (tmp_path / "out" / stage / name).read_bytes() == (tmp_path / stage / name).read_bytes()


@pytest.mark.parametrize("line,says", [
    ("anomaly: {method: isolation_forst}", "isolation_forst"), ("anomaly: {method: lof, n_estimators: 5}", "n_estimators"),
    ("anomaly: {fdr: 7}", "fdr"), ("generate: {method: kmeans}", "there is no method kmeans"), ("generate: {augment: -1}", "augment"),
    ("rules: {min_support: many}", "min_support"), ("rules: {method: gmm}", "there is no method gmm"), ("decision: perhaps", "perhaps"),
    ("train: {labels: [0.1]}", "not there yet"),
])
def test_what_a_stage_does_not_take_is_refused_with_its_line(line, says, grouped, tmp_path):
    ended = flow(tmp_path, "grouped.csv", [line])
    assert ended.code == 2 and says in ended.err and "p.yaml:4" in ended.err, ended.err
    assert not (tmp_path / "out").exists()


def test_rules_off_but_wanted(grouped, tmp_path):
    ended = flow(tmp_path, "grouped.csv", ["decision: both", "rules: off"])
    assert ended.code == 2 and "rules" in ended.err


def test_the_digits_example_still_runs_with_every_stage(tmp_path):
    (tmp_path / "p.yaml").write_text(f"sluice: 1\ninput: {{path: {ROOT}/examples/digits/digits.csv.gz, header: false, label: -1}}\n"
                                     "stages:\n  cluster: {method: kmeans, n_clusters: 10}\n  anomaly: {method: lof, contamination: 0.01}\n")
    done("run", tmp_path / "p.yaml", "-o", tmp_path / "out")
    samples = np.loadtxt(tmp_path / "out/generate/samples.csv", delimiter=",", skiprows=1)
    assert samples.shape == (899, 61), "in the input's columns again, though fitted on components"
    assert -8 < samples.mean() < 8 and result(tmp_path, "anomaly")["n_flagged"] == 17
