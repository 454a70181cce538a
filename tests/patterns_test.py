"""The pattern miners from the command line: what they take, what they refuse, and that all three write one file."""
import csv
import gzip
import itertools
import json
import random
import sys

import pytest

from sluice_program import ROOT, done, manifest_hash, needs_data, needs_mpirun, run

MINERS = ("eclat", "fpgrowth", "apriori")


def made_baskets(rows=300, items=9, seed=1):
    draw = random.Random(seed)
    return [[i for i in range(items) if draw.random() < 0.5 / (1 + i % 4)] for _ in range(rows)]


def write_baskets(path, baskets, opener=open):
    with opener(path, "wt") as file:
        file.writelines(" ".join(map(str, basket)) + "\n" for basket in baskets)
    return path


def rows_of(path):
    with open(path, newline="") as file:
        return list(csv.DictReader(file))


def by_hand(baskets, least):
    sets = [frozenset(basket) for basket in baskets]
    items = sorted(set().union(*sets))
    found = {}
    for size in range(1, len(items) + 1):
        for some in itertools.combinations(items, size):
            count = sum(set(some) <= one for one in sets)
            if count >= least:
                found[frozenset(some)] = count
    return found


def itemsets(folder):
    return {frozenset(map(int, row["items"].split())): int(row["count"]) for row in rows_of(folder / "itemsets.csv")}


@pytest.fixture
def baskets(tmp_path):
    return write_baskets(tmp_path / "b.dat", made_baskets())


def test_all_three_write_the_file_that_counting_by_hand_gives(tmp_path, baskets):
    expected = by_hand(made_baskets(), 8)
    files = set()
    for miner in MINERS:
        ended = done(miner, baskets, "--min-support", 8, "--rules", "--min-confidence", 0.4, "-o", tmp_path / miner)
        assert itemsets(tmp_path / miner) == expected
        assert ended.result["n_itemsets"] == len(expected)
        assert ended.result["n_transactions"] == 300 and ended.result["n_items"] == 9
        assert ended.result["n_rules"] == len(rows_of(tmp_path / miner / "rules.csv"))
        files.add((tmp_path / miner / "itemsets.csv").read_bytes() + (tmp_path / miner / "rules.csv").read_bytes())
        listed = json.loads((tmp_path / miner / "manifest.json").read_text())
        assert {"itemsets.csv", "rules.csv", "report.html", "summary.json"} == {file["name"] for file in listed["files"]}
        assert listed["rows"] == {"in": 300, "kept": 300, "rejected": 0, "dropped": {}}
    assert len(files) == 1


@pytest.mark.parametrize("miner", MINERS)
def test_threads_ranks_and_memory_change_nothing(miner, tmp_path, baskets):
    needs_mpirun()
    hashes = set()
    for threads, ranks, memory in ((1, 1, "1G"), (2, 1, "32M"), (3, 2, "1G"), (8, 3, "64M")):
        ended = run(miner, baskets, "--min-support", 0.02, "--all-rules", "--min-confidence", 0.3, "--target", "closed", "--threads", threads,
                    "--memory", memory, "-q", "-o", tmp_path / "o", ranks=ranks)
        assert ended.code == 0, ended.err
        hashes.add(manifest_hash(tmp_path / "o"))
    assert len(hashes) == 1


def test_the_form_of_a_file_changes_nothing(tmp_path, baskets):
    packed = write_baskets(tmp_path / "p.dat.gz", made_baskets(), gzip.open)
    with open(tmp_path / "windows.dat", "w", newline="") as file:
        file.writelines("\t".join(map(str, reversed(basket))) + " \r\n" for basket in made_baskets())
    other_name = tmp_path / "baskets.txt"
    other_name.write_bytes(baskets.read_bytes())
    done("eclat", baskets, "--min-support", 5, "-o", tmp_path / "a")
    for source, more in ((packed, []), (tmp_path / "windows.dat", []), (other_name, ["--format", "dat"])):
        done("eclat", source, *more, "--min-support", 5, "-o", tmp_path / "b")
        assert manifest_hash(tmp_path / "a") == manifest_hash(tmp_path / "b"), source
    write_baskets(baskets, [[7], *made_baskets()[1:]])
    done("eclat", baskets, "--min-support", 5, "-o", tmp_path / "b")
    assert manifest_hash(tmp_path / "a") != manifest_hash(tmp_path / "b")


def test_support_is_a_share_with_a_point_else_a_count(tmp_path, baskets):
    for share, count in ((0.02, 6), (0.021, 7), ("1e-2", 3)):
        assert done("eclat", baskets, "--min-support", share, "-o", tmp_path / "o").result["min_count"] == count
    assert done("eclat", baskets, "--min-support", 1, "-o", tmp_path / "o").result["min_count"] == 1
    assert done("eclat", baskets, "--min-support", "1.0", "-o", tmp_path / "o").result["min_count"] == 300
    assert json.loads((tmp_path / "o/summary.json").read_text())["params"]["min_support"] == 1.0


def test_names_and_rules(tmp_path):
    source = write_baskets(tmp_path / "b.dat", [[3, 10], [3, 10], [3], [10, 5], []])
    names = tmp_path / "names.csv"
    names.write_text('id,label,more\n10,"tea, green",x\n3,"say ""milk""",x\n99,nothing,x\n')
    ended = done("eclat", source, "--min-support", 2, "--rules", "--min-confidence", 0.6, "--item-names", names, "-o", tmp_path / "o")
    assert (tmp_path / "o/itemsets.csv").read_text() == (
        'items,names,count,support\n3,"say ""milk""",3,0.6\n3 10,"say ""milk""; tea, green",2,0.4\n10,"tea, green",3,0.6\n')
    rules = rows_of(tmp_path / "o/rules.csv")
    assert [(r["antecedent"], r["antecedent_names"], r["consequent"], r["consequent_names"], r["count"]) for r in rules] == [
        ("10", "tea, green", "3", 'say "milk"', "2"), ("3", 'say "milk"', "10", "tea, green", "2")]
    assert list(rules[0])[:9] == ["antecedent", "antecedent_names", "consequent", "consequent_names", "count", "support", "confidence", "lift", "leverage"]
    assert ended.result["n_rules"] == 2
    params = json.loads((tmp_path / "o/manifest.json").read_text())["params"]
    assert params["item_names"].startswith("sha256:")
    only = done("eclat", source, "--min-support", 2, "--all-rules", "--min-confidence", 0.6, "--item-names", names, "--consequent", 'say "milk"',
                "-o", tmp_path / "o")
    assert only.result["n_rules"] == 1 and rows_of(tmp_path / "o/rules.csv")[0]["consequent"] == "3"


def test_long_tables_are_baskets(tmp_path):
    source = tmp_path / "long.csv"
    source.write_text("transaction,item\na,milk\nb,milk\na,bread\nc,\nb,milk\nd,tea\n")
    ended = done("fpgrowth", source, "--min-support", 1, "-o", tmp_path / "o")
    assert ended.result["n_transactions"] == 4 and ended.json["input"] == {"rows": 6, "columns": 2}
    found = {row["names"]: int(row["count"]) for row in rows_of(tmp_path / "o/itemsets.csv")}
    assert found == {"bread": 1, "milk": 2, "tea": 1, "bread; milk": 1}
    source.write_text("transaction,item\n1,30\n1,4\n2,30\n")
    done("eclat", source, "--min-support", 1, "-o", tmp_path / "o")
    assert itemsets(tmp_path / "o") == {frozenset([30]): 2, frozenset([4]): 1, frozenset([4, 30]): 1}
    source.write_text("transaction,item\n1,a\n,b\n")
    ended = run("eclat", source, "-o", tmp_path / "o")
    assert ended.code == 3 and "row 1, column transaction" in ended.err


def test_tables_become_baskets_of_their_values(tmp_path):
    source = tmp_path / "t.csv"
    source.write_text("age,odor,sex\n" + "".join(f"{age},{odor},{age % 2}\n" for age, odor in zip(range(20, 40), ["foul", "none", "", "none"] * 5)))
    done("eclat", source, "--min-support", 1, "--n-bins", 4, "--max-length", 1, "-o", tmp_path / "o")
    found = {row["names"]: int(row["count"]) for row in rows_of(tmp_path / "o/itemsets.csv")}
    assert found.pop("odor=foul") == 5 and found.pop("odor=none") == 10 and found.pop("sex=0") == 10 and found.pop("sex=1") == 10
    assert sorted(found.values()) == [5, 5, 5, 5] and all(name.startswith("age=[") for name in found)
    done("eclat", source, "--min-support", 1, "--n-bins", 2, "--strategy", "uniform", "--max-length", 1, "--exclude", "odor", "--label", "sex",
         "-o", tmp_path / "o")
    found = {row["names"]: int(row["count"]) for row in rows_of(tmp_path / "o/itemsets.csv")}
    assert found == {"age=[20, 29.5)": 10, "age=[29.5, 39]": 10}


BAD = [
    ("1 2\n3 milk\n", [], 3, "b.dat:2: byte 3 is 'm'"),
    ("1 -2\n", [], 3, "byte 3 is '-'"),
    ("1,2\n", [], 3, "byte 2 is ','"),
    ("1 1.5\n", [], 3, "byte 4 is '.'"),
    ("7 18446744073709551616\n", [], 3, "b.dat:1: byte 3 begins a number past 2^63 - 1"),
    ("", [], 3, "it holds no baskets"),
    ("1\n", ["--min-support", "0"], 2, "--min-support"),
    ("1\n", ["--min-support", "1.5"], 2, "--min-support"),
    ("1\n", ["--min-support", "nan"], 2, "--min-support"),
    ("1\n", ["--min-confidence", "2", "--rules"], 2, "--min-confidence"),
    ("1\n", ["--target", "all"], 2, "frequent | closed | maximal"),
    ("1\n", ["--min-length", "3", "--max-length", "2"], 2, "--max-length"),
    ("1\n", ["--columns", "a"], 2, "--columns"),
    ("1\n", ["--label", "a"], 2, "--label"),
    ("1\n", ["--n-bins", "3"], 2, "--n-bins"),
    ("1\n", ["--nan", "drop"], 2, "--nan"),
    ("1\n", ["--weight", "a"], 2, "--weight"),
    ("1\n", ["--consequent", "1"], 2, "--consequent"),
    ("1\n", ["--rules", "--consequent", "55"], 3, "no item or column '55'"),
    ("1\n", ["--item-names", "nowhere.csv"], 4, "nowhere.csv"),
]


@pytest.mark.parametrize("text, more, code, words", BAD)
def test_what_cannot_be_is_refused(text, more, code, words, tmp_path):
    source = tmp_path / "b.dat"
    source.write_text(text)
    ended = run("eclat", source, *more, "-o", tmp_path / "o", "--json", cwd=tmp_path)
    assert ended.code == code, ended.err
    assert words in ended.err and ended.err.count("\n") == 1
    assert ended.json["error"]["code"] == code
    assert not (tmp_path / "o").exists() and not (tmp_path / "o.work").exists()


def test_kinds_of_input_do_not_mix(tmp_path, baskets):
    table = tmp_path / "t.csv"
    table.write_text("a\nx\n")
    assert run("eclat", baskets, table, "-o", tmp_path / "o").code == 2
    assert run("eclat", table, "--item-names", table, "-o", tmp_path / "o").code == 2
    assert run("eclat", table, "--layout", "long", "-o", tmp_path / "o").code == 3
    assert run("kmeans", baskets, "-o", tmp_path / "o").code == 2
    names = tmp_path / "n.csv"
    names.write_text("id,name\n1,a\n1,b\n")
    ended = run("eclat", baskets, "--item-names", names, "-o", tmp_path / "o")
    assert ended.code == 3 and "both name item 1" in ended.err


@pytest.mark.parametrize("miner", MINERS)
def test_a_support_that_explodes_is_refused_at_once(miner, tmp_path):
    source = write_baskets(tmp_path / "b.dat", [range(400)] * 3)
    ended = run(miner, source, "--min-support", 2, "--memory", "256M", "-o", tmp_path / "o", timeout=20)
    assert ended.code == 5 and "--min-support" in ended.err and "raise it" in ended.err
    stairs = write_baskets(tmp_path / "s.dat", [range(n) for n in range(1, 700)])
    ended = run(miner, stairs, "--min-support", 2, "--memory", "256M", "-o", tmp_path / "o", timeout=20)
    assert ended.code == 5
    assert done(miner, stairs, "--min-support", 2, "--max-length", 1, "-o", tmp_path / "o").result["n_itemsets"] == 698


def test_millions_of_sets_within_the_memory_asked_for(tmp_path):
    source = needs_data("itemsets", "mushroom.dat.gz")
    ended = done("eclat", source, "--min-support", 406, "--memory", "48M", "-o", tmp_path / "o")
    assert ended.result["n_itemsets"] == 3755705
    assert json.loads((tmp_path / "o/run.json").read_text())["peak_memory"] <= 48 << 20


def test_a_tree_of_wide_baskets_stays_within_memory_or_is_refused(tmp_path):
    """Baskets that share no beginning: the tree has a node for nearly every item of every basket, and says so before it is built."""
    draw = random.Random(5)
    source = write_baskets(tmp_path / "b.dat", (sorted(draw.sample(range(2000), 200)) for _ in range(20_000)))
    args = [source, "--min-support", 1950]
    ended = run("fpgrowth", *args, "--memory", "128M", "-o", tmp_path / "no")
    assert ended.code == 5 and "FP-tree" in ended.err and "use eclat" in ended.err and ended.err.count("\n") == 1
    assert not (tmp_path / "no").exists() and not (tmp_path / "no.work").exists()
    for miner, memory in (("fpgrowth", 256), ("eclat", 128)):
        done(miner, *args, "--memory", f"{memory}M", "-o", tmp_path / miner)
        assert json.loads((tmp_path / miner / "run.json").read_text())["peak_memory"] <= memory << 20
    assert (tmp_path / "fpgrowth/itemsets.csv").read_bytes() == (tmp_path / "eclat/itemsets.csv").read_bytes()


@pytest.mark.parametrize("miner", MINERS)
def test_items_of_every_basket_are_in_sets(miner, tmp_path):
    """pyfim leaves out the sets of nothing but items that are in every transaction."""
    baskets = [[7, 8, *basket] for basket in ([1], [1, 2], [2], [])]
    done(miner, write_baskets(tmp_path / "b.dat", baskets), "--min-support", 1, "-o", tmp_path / "o")
    assert itemsets(tmp_path / "o") == by_hand(baskets, 1)


@pytest.mark.parametrize("miner", MINERS)
def test_the_item_in_every_basket_is_there(miner, tmp_path):
    source = needs_data("itemsets", "mushroom.dat.gz")
    assert done(miner, source, "--min-support", 1625, "-o", tmp_path / "o").result["n_itemsets"] == 53583


def test_mushrooms_that_smell_foul_are_poisonous(tmp_path):
    done("run", ROOT / "examples/mushroom/pipeline.yaml", "-o", tmp_path / "o")
    first = rows_of(tmp_path / "o/rules/rules.csv")[0]
    assert (first["antecedent_names"], first["consequent_names"], first["confidence"]) == ("odor=foul", "class=poisonous", "1")


def test_the_mushroom_table_is_what_its_script_makes(tmp_path):
    source = needs_data("itemsets", "mushroom.dat.gz")
    sys.path.insert(0, str(ROOT / "examples/mushroom"))
    sys.dont_write_bytecode = True
    import make_table
    with gzip.open(source, "rt") as file:
        rows = make_table.decode(file)
    with gzip.open(ROOT / "examples/mushroom/mushroom.csv.gz", "rt", newline="") as file:
        table = list(csv.reader(file))
    assert table[0] == list(make_table.TABLE)
    assert table[1:] == [["" if letter == "?" else name for letter, name in row] for row in rows]
