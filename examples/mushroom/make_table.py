"""Writes mushroom.csv.gz, the mushroom table with names, from FIMI's mushroom.dat(.gz): python3 make_table.py mushroom.dat.gz

FIMI's file numbers the values of the UCI table agaricus-lepiota.data, row by row and attribute by attribute: 1, 2 are the values of the
first attribute in the order in which they appear, 3 to 8 those of the second, and so on. This script holds the letters in that order
and refuses to write unless
  - every row has one value of each attribute,
  - the values of each attribute first appear in the order of their numbers,
  - each value occurs as often as in the UCI table (its published counts),
  - rows of the UCI table, among them the first of every value whose count is not its own in its attribute, come out letter by letter.
"""
import csv
import gzip
import io
import pathlib
import sys

# Attribute: letter, name and rows of each value, in the order of first appearance. "?" in stalk-root means missing.
TABLE = {
    "class": "p poisonous 3916, e edible 4208",
    "cap-shape": "x convex 3656, b bell 452, s sunken 32, f flat 3152, k knobbed 828, c conical 4",
    "cap-surface": "s smooth 2556, y scaly 3244, f fibrous 2320, g grooves 4",
    "cap-color": "n brown 2284, y yellow 1072, w white 1040, g gray 1840, e red 1500, p pink 144, b buff 168, u purple 16, c cinnamon 44, r green 16",
    "bruises": "t yes 3376, f no 4748",
    "odor": "p pungent 256, a almond 400, l anise 400, n none 3528, f foul 2160, c creosote 192, y fishy 576, s spicy 576, m musty 36",
    "gill-attachment": "f free 7914, a attached 210",
    "gill-spacing": "c close 6812, w crowded 1312",
    "gill-size": "n narrow 2512, b broad 5612",
    "gill-color": "k black 408, n brown 1048, g gray 752, p pink 1492, w white 1202, h chocolate 732, u purple 492, e red 96, b buff 1728, r green 24, "
                  "y yellow 86, o orange 64",
    "stalk-shape": "e enlarging 3516, t tapering 4608",
    "stalk-root": "e equal 1120, c club 556, b bulbous 3776, r rooted 192, ? missing 2480",
    "stalk-surface-above-ring": "s smooth 5176, f fibrous 552, k silky 2372, y scaly 24",
    "stalk-surface-below-ring": "s smooth 4936, f fibrous 600, y scaly 284, k silky 2304",
    "stalk-color-above-ring": "w white 4464, g gray 576, p pink 1872, n brown 448, b buff 432, e red 96, o orange 192, c cinnamon 36, y yellow 8",
    "stalk-color-below-ring": "w white 4384, p pink 1872, g gray 576, b buff 432, n brown 512, e red 96, y yellow 24, o orange 192, c cinnamon 36",
    "veil-type": "p partial 8124",
    "veil-color": "w white 7924, n brown 96, o orange 96, y yellow 8",
    "ring-number": "o one 7488, t two 600, n none 36",
    "ring-type": "p pendant 3968, e evanescent 2776, l large 1296, f flaring 48, n none 36",
    "spore-print-color": "k black 1872, n brown 1968, u purple 48, h chocolate 1632, w white 2388, r green 72, o orange 48, y yellow 48, b buff 48",
    "population": "s scattered 1248, n numerous 400, a abundant 384, v several 4040, y solitary 1712, c clustered 340",
    "habitat": "u urban 368, g grasses 2148, m meadows 292, d woods 3148, p paths 1144, w waste 192, l leaves 832",
}
# Rows of agaricus-lepiota.data by number, from 0.
ROWS = {
    0: "p,x,s,n,t,p,f,c,n,k,e,e,s,s,w,w,p,w,o,p,k,s,u", 1: "e,x,s,y,t,a,f,c,b,k,e,c,s,s,w,w,p,w,o,p,n,n,g",
    2: "e,b,s,w,t,l,f,c,b,n,e,c,s,s,w,w,p,w,o,p,n,n,m", 3: "p,x,y,w,t,p,f,c,n,n,e,e,s,s,w,w,p,w,o,p,k,s,u",
    4: "e,x,s,g,f,n,f,w,b,k,t,e,s,s,w,w,p,w,o,e,n,a,g", 5: "e,x,y,y,t,a,f,c,b,n,e,c,s,s,w,w,p,w,o,p,k,n,g",
    4023: "p,x,y,e,f,y,f,c,n,b,t,?,k,s,w,w,p,w,o,e,w,v,p", 4076: "e,f,y,u,f,n,f,c,n,h,e,?,s,f,w,w,p,w,o,f,h,y,d",
    4104: "p,x,y,n,f,f,f,c,n,b,t,?,s,s,p,p,p,w,o,e,w,v,l", 4326: "e,x,y,r,f,n,f,c,n,p,e,?,s,f,w,w,p,w,o,f,h,v,d",
    4329: "p,x,y,n,f,s,f,c,n,b,t,?,k,s,w,w,p,w,o,e,w,v,p", 6375: "e,b,s,n,f,n,a,c,b,o,e,?,s,s,o,o,p,o,o,p,o,v,l",
    6424: "e,x,s,n,f,n,a,c,b,n,e,?,s,s,o,o,p,n,o,p,y,c,l", 6558: "e,x,s,n,f,n,a,c,b,n,e,?,s,s,o,o,p,o,o,p,b,v,l",
}


def values_of(text):
    return [(letter, name, int(rows)) for letter, name, rows in (value.split() for value in text.split(", "))]


def decode(lines):
    """Rows of (letter, name), proven as the module's text says."""
    attribute, value = [], []  # by item - 1
    for number, text in enumerate(TABLE.values()):
        for one in values_of(text):
            attribute.append(number)
            value.append(one)
    rows, seen = [], [0] * len(value)
    newest = [-1] * len(TABLE)
    for line in lines:
        items = [int(word) - 1 for word in line.split()]
        assert [attribute[item] for item in items] == list(range(len(TABLE))), "a row without one value of each attribute"
        for item in items:
            if not seen[item]:
                assert item > newest[attribute[item]], "values appear in another order"
                newest[attribute[item]] = item
            seen[item] += 1
        rows.append([value[item][:2] for item in items])
    assert len(rows) == 8124
    for count, (letter, name, published) in zip(seen, value):
        assert count == published, (letter, name, count, published)
    for number, text in ROWS.items():
        assert ",".join(letter for letter, _ in rows[number]) == text, number
    return rows


def main():
    path = pathlib.Path(sys.argv[1])
    with gzip.open(path, "rt") if path.suffix == ".gz" else open(path) as file:
        rows = decode(file)
    text = io.StringIO()
    out = csv.writer(text, lineterminator="\n")
    out.writerow(TABLE)
    out.writerows([["" if letter == "?" else name for letter, name in row] for row in rows])
    target = pathlib.Path(__file__).with_name("mushroom.csv.gz")
    with open(target, "wb") as raw, gzip.GzipFile(filename="", mode="wb", fileobj=raw, mtime=0) as packed:
        packed.write(text.getvalue().encode())


if __name__ == "__main__":
    main()
