import base64
import hashlib
import re
from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

import numpy as np
import pytest

from kellgren.anatomy import KL
from kellgren.records import RESEARCH_USE, FilmResult, Gate, Knee, Prediction, Problem
from kellgren.reporting import draw_overlay, write_overlay, write_report

Film = Callable[..., FilmResult]


class Page(HTMLParser):
    """What a browser would make of a page, as far as it matters here."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.words: list[str] = []
        self.content = path.read_text(encoding="utf-8")
        self.feed(self.content)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        if self.tags and self.tags[-1][0] != "style":
            self.words.append(data)

    @property
    def text(self) -> str:
        return " ".join(self.words)

    def values(self, name: str) -> list[str]:
        return [value for _, attrs in self.tags if (value := attrs.get(name)) is not None]


def pages(folder: Path) -> list[Path]:
    return sorted(folder.glob("report*.html"), key=lambda path: (len(path.name), path.name))


@pytest.fixture
def films(make_film: Film, make_knee: Callable[..., Knee], tmp_path: Path) -> list[FilmResult]:
    """Seven graded knees with overlays, three refusals."""
    graded = []
    picture = np.zeros((64, 64), dtype=np.uint8)
    for index in range(7):
        name = f"overlays/{index} ä#?%.png"
        knee = make_knee(attention_png=name, warnings=("LATERALITY_CONFLICT",))
        film = make_film(f"film-{index}.png", knees=(knee,))
        image = draw_overlay(
            picture, None, knee, task=KL, bundle=film.bundle, source=film.source, synthetic=False
        )
        write_overlay(image, tmp_path / name)
        graded.append(film)
    return [
        *graded,
        make_film("refused-0.png", knees=(), error=Problem("file.empty", "refused-0: no bytes.")),
        make_film("refused-1.png", knees=(), gate=Gate(False, ("NO_KNEE",))),
        make_film("refused-2.png", knees=(make_knee(kl=None, gate=Gate(False, ("REGION_CUT",))),)),
    ]


def test_pages_link_to_each_other_and_everything_they_link_to_is_there(
    films: list[FilmResult], tmp_path: Path
) -> None:
    first = write_report(films, tmp_path, title="t", knees_per_page=3, refusals_per_page=2)
    assert first == tmp_path / "report.html"
    found = pages(tmp_path)
    assert [path.name for path in found] == ["report.html"] + [
        f"report-{number}.html" for number in (2, 3, 4)
    ]
    for path in found:
        page = Page(path)
        links = page.values("href") + page.values("src")
        assert links
        for link in links:
            parts = urlsplit(link)
            assert not parts.scheme
            assert not parts.netloc
            target = tmp_path / unquote(parts.path)
            assert target.is_file()
            if parts.fragment:
                assert f'id="{parts.fragment}"' in target.read_text(encoding="utf-8")
        others = {other.name for other in found} - {path.name}
        assert others <= set(links)
        assert RESEARCH_USE in page.content[page.content.index("<footer>") :]


def test_every_film_stands_on_one_page(films: list[FilmResult], tmp_path: Path) -> None:
    write_report(films, tmp_path, title="t", knees_per_page=3, refusals_per_page=2)
    texts = [Page(path).text for path in pages(tmp_path)]
    for film in films:
        assert sum(film.source in text for text in texts) == 1
    assert "refused-0: no bytes." in texts[2]
    assert "file.empty" in texts[2]
    assert "Give its place with --boxes" in re.sub(r"\s+", " ", texts[2])
    assert "refused-2.png, right knee" in texts[3]


def test_what_to_do_names_its_options_and_nothing_else_as_code(
    make_film: Film, tmp_path: Path
) -> None:
    films = [
        make_film("hip.png", knees=(), gate=Gate(False, ("NO_KNEE",))),
        make_film("a--force.png", knees=(), error=Problem("file.empty", "a--force.png: <b>--x")),
    ]
    page = Page(write_report(films, tmp_path, title="t"))
    assert "<code>--boxes</code>, or use <code>--cropped</code> if" in page.content
    assert "<td>a--force.png: &lt;b&gt;--x</td>" in page.content


def test_a_refusal_has_its_picture_or_says_that_there_is_none(
    make_film: Film, tmp_path: Path
) -> None:
    refused = make_film("hip.png", knees=(), gate=Gate(False, ("NO_KNEE",)))
    page = Page(write_report([refused], tmp_path, title="t"))
    assert "no picture" in page.text
    shown = make_film("hip.png", knees=(), gate=refused.gate, film_png="films/hip.png")
    page = Page(write_report([shown], tmp_path, title="t"))
    assert "no picture" not in page.text
    (thumbnail,) = (attrs for tag, attrs in page.tags if tag == "img")
    assert (thumbnail["src"], thumbnail["alt"]) == ("films/hip.png", "hip.png, not graded")


def test_the_summary_counts(films: list[FilmResult], tmp_path: Path) -> None:
    page = Page(write_report(films, tmp_path, title="Cohort"))
    text = re.sub(r"\s+", " ", page.text)
    for words in ("films 10", "knees graded 7", "not graded 3"):
        assert words in text
    assert "Knees by most probable grade. KL 2: 7" in page.values("aria-label")
    assert "LATERALITY_CONFLICT" in text
    assert "90 % set: KL 1–2" in text


def test_a_page_forbids_scripts_and_the_network(films: list[FilmResult], tmp_path: Path) -> None:
    page = Page(write_report(films, tmp_path, title="t"))
    policy = page.values("content")[0]
    assert policy.startswith("default-src 'none';")
    style = page.content.partition("<style>")[2].partition("</style>")[0]
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    assert f"style-src 'sha256-{digest}'" in policy
    # A style or a handler in an attribute would be blocked by that policy.
    assert page.values("style") == []
    assert "url(" not in style
    assert "http" not in page.content.replace("http-equiv", "")


def test_hostile_names_stay_text(
    make_film: Film, make_knee: Callable[..., Knee], hostile: str, tmp_path: Path
) -> None:
    knee = make_knee(attention_png=f"overlays/{hostile}", warnings=(hostile,))
    films = [
        make_film(hostile, knees=(knee,), warnings=(hostile,)),
        make_film(f"x/{hostile}", knees=(), error=Problem(hostile, hostile)),
    ]
    page = Page(write_report(films, tmp_path, title=hostile))
    plain = Page(write_report([make_film(knees=(make_knee(),))], tmp_path, title="t"))
    assert {tag for tag, _ in page.tags} <= {tag for tag, _ in plain.tags} | {
        *("a", "img", "ul", "li", "table", "tr", "th", "td", "code")
    }
    assert not [
        name for _, attrs in page.tags for name in attrs if name.startswith(("on", "style"))
    ]
    for link in page.values("src"):
        assert re.fullmatch(r"overlays/[\w.%~/-]+", link, re.ASCII)
    assert page.content.isprintable() or "\n" in page.content
    page.content.encode()


@pytest.mark.parametrize(
    "path", ["/etc/passwd", "../secret.png", "a/../../b.png", "//host/x.png", "..\\x.png"]
)
def test_overlays_outside_the_folder_are_not_linked(
    make_film: Film, make_knee: Callable[..., Knee], path: str, tmp_path: Path
) -> None:
    page = Page(
        write_report([make_film(knees=(make_knee(attention_png=path),))], tmp_path, title="t")
    )
    assert page.values("src") == []


def test_a_scheme_becomes_a_file_name(
    make_film: Film, make_knee: Callable[..., Knee], tmp_path: Path
) -> None:
    knee = make_knee(attention_png="javascript:alert(1)")
    page = Page(write_report([make_film(knees=(knee,))], tmp_path, title="t"))
    assert page.values("src") == ["javascript%3Aalert%281%29"]


def test_writing_again_gives_the_same_bytes(films: list[FilmResult], tmp_path: Path) -> None:
    write_report(films, tmp_path, title="t", knees_per_page=3)
    before = {path.name: path.read_bytes() for path in pages(tmp_path)}
    write_report(reversed(films), tmp_path, title="t", knees_per_page=3)
    assert {path.name: path.read_bytes() for path in pages(tmp_path)} == before


def test_pages_of_a_longer_report_go_and_those_of_others_stay(
    films: list[FilmResult], tmp_path: Path
) -> None:
    write_report(films, tmp_path, title="t", knees_per_page=1)
    (tmp_path / "report-5.html").write_text("<p>mine</p>", encoding="utf-8")
    write_report(films, tmp_path, title="t", knees_per_page=4)
    assert [path.name for path in pages(tmp_path)][:3] == [
        "report.html",
        "report-2.html",
        "report-5.html",
    ]


def test_many_pages_have_a_short_list(make_film: Film, tmp_path: Path) -> None:
    films = [make_film(f"{index:03}.png") for index in range(40)]
    write_report(films, tmp_path, title="t", knees_per_page=1)
    page = Page(tmp_path / "report-20.html")
    numbers = re.findall(r"report-?(\d*)\.html", " ".join(page.values("href")))
    assert numbers[:8] == ["", "17", "18", "19", "21", "22", "23", "40"]


def test_no_results_give_a_page(tmp_path: Path) -> None:
    page = Page(write_report([], tmp_path, title="Nothing"))
    assert "films 0" in re.sub(r"\s+", " ", page.text)


def test_synthetic_results_say_so_on_every_page(make_film: Film, tmp_path: Path) -> None:
    films = [make_film("a.png"), make_film("b.png", synthetic=True)]
    write_report(films, tmp_path, title="t", knees_per_page=1)
    for path in pages(tmp_path):
        assert "SYNTHETIC · says nothing about a person" in Page(path).text
    assert "SYNTHETIC" not in Page(pages(tmp_path)[0]).text.partition("a.png")[2]
    assert "SYNTHETIC" in Page(pages(tmp_path)[1]).text.partition("b.png")[2]


def test_further_tasks_are_listed(
    make_film: Film,
    make_knee: Callable[..., Knee],
    predict: Callable[..., Prediction],
    tmp_path: Path,
) -> None:
    knee = make_knee(
        kl=None,
        grades={
            "jsn_medial": predict(1, 6, 2, 1, members=(1, 2)),
            "own": predict(1, 3, ordinal=False),
        },
    )
    film = make_film(knees=(knee,), image_grades={"view": predict(9, 1, 0, 0, 0, ordinal=False)})
    text = Page(write_report([film], tmp_path, title="t")).text
    for words in ("Joint-space narrowing, medial", "90 % set: grade 1–2", "View", "own"):
        assert words in text
