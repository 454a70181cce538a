"""The committed demo page is what the program writes today, byte for byte; `make demo-report` makes it anew."""
import pathlib

import sluice_program as sluice

PAGE = sluice.ROOT / "docs/demo/report.html"


def test_the_committed_page_is_todays(tmp_path):
    sluice.needs_program()
    ended = sluice.run("run", sluice.ROOT / "examples/digits/pipeline.yaml", "-o", tmp_path / "out", cwd=tmp_path)
    assert ended.code == 0, ended.err
    fresh = (tmp_path / "out/report.html").read_bytes()
    assert fresh == PAGE.read_bytes(), "docs/demo/report.html is not what the program writes: run `make demo-report` and look at the change"


def test_the_page_says_nothing_of_the_machine():
    text = PAGE.read_text(encoding="utf-8")
    assert str(sluice.ROOT) not in text and str(pathlib.Path.home()) + "/" not in text


def test_the_readmes_picture_is_small():
    picture = (sluice.ROOT / "docs/img/report.png").read_bytes()
    assert picture[:8] == b"\x89PNG\r\n\x1a\n" and len(picture) < 300_000
