"""A site of a history: what is on its pages, what heads it, what stays, and that the same history gives it again."""

import re
import shutil
import socket
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote
from xml.etree import ElementTree

import pytest

from atomic_lib.base.errors import WorkbookError
from atomic_lib.base.paths import CHECKOUT
from atomic_lib.base.store import Store, file_sha256
from atomic_lib.report.site.site import publish_site
from atomic_lib.report.site.site_pages import package_page
from atomic_lib.report.text.content_words import STANDIN_NOTICE
from atomic_lib.results.history.database import open_history
from atomic_lib.results.history.run_recording import record_missing_runs
from atomic_lib.results.variant_result import StageTime
from tests.report import factory
from tests.report.site.site_factory import BREACH, JQ, add, contents, draw_anew, inodes, publish, sketch, variant

ATOM = "{http://www.w3.org/2005/Atom}"


class Links(HTMLParser):
    """What a page refers to, and the ids that it has."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.targets: list[str] = []
        self.ids: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        for name, value in attrs:
            if name in ("href", "src") and value:
                self.targets.append(value)
            if name == "id" and value:
                self.ids.append(value)


def page(site: Path, name: str) -> str:
    return (site / name).read_text().replace("\N{NO-BREAK SPACE}", " ").replace("\N{MINUS SIGN}", "-")


@pytest.fixture(autouse=True)
def sketched(published: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The pictures of ``published`` are drawn; those that only one test has are sketched."""
    sketch(monkeypatch)


def test_there_is_a_page_for_each_run_variant_and_package_with_what_it_is_for(build: Path, site: Path) -> None:
    assert [run.run for run in publish(build, site).latest] == ["2026-11-03T03-00-00Z-default"]
    front = page(site, "index.html")
    assert all("<td" in front and text in front for text in ("atomic-min", "3 November 2026", "Over time"))
    run = "runs/2026-11-02T03-00-00Z-default/index.html"
    assert re.search(f'<a href="{run}">2 November 2026</a>.*jq 1.7-1 added', front)
    assert "The run of day 1" in page(site, "runs/2026-11-01T03-00-00Z-default/index.html")
    jq = page(site, "packages/jq/index.html")
    assert "In atomic-min" in jq
    assert "jq (recipe)" in jq
    assert "3.0 MB" in jq
    assert "2 November 2026" in jq
    assert "3 November 2026" not in jq, "a run in which nothing changed is not on the page of a package"
    own = page(site, "variants/atomic-min/index.html")
    assert 'href="../../packages/jq/index.html"' in own
    assert "jq 1.7-1 added" in own
    assert 'href="../../runs/2026-11-01T03-00-00Z-default/index.html"' in own


def test_every_link_leads_to_a_file_and_every_part_has_an_id_of_its_own(site: Path) -> None:
    for path in site.rglob("*.html"):
        links = Links(path.read_text())
        assert sorted(set(links.ids)) == sorted(links.ids), path
        for target in links.targets:
            assert not re.match(r"[a-z]+://|//|/", target), f"{path}: {target}"
            name, _, anchor = target.partition("#")
            if name and not name.startswith("data:"):
                assert (path.parent / unquote(name)).is_file(), f"{path.relative_to(site)}: {target}"
            assert not anchor or name or unquote(anchor) in links.ids, f"{path.relative_to(site)}: {target}"


def test_each_page_says_at_its_head_that_the_content_stands_in(site: Path) -> None:
    made = [path for path in site.rglob("*.html") if path.parent.parent.name != "runs" or path.name == "downloads.html"]
    assert len(made) > 15
    for path in made:
        text = path.read_text()
        assert "These are Debian packages" in text[text.index("<main") :][:1500], path
    assert STANDIN_NOTICE in ElementTree.parse(site / "feed.xml").findtext(f"{ATOM}subtitle", "")


def test_content_that_does_not_stand_in_has_no_such_notice(tmp_path: Path) -> None:
    values = {"content": "fedora", "content_summary": None}
    add(tmp_path / "build", 1, variant("cloud-docker", **values))
    publish(tmp_path / "build", tmp_path / "site")
    assert all(b"These are Debian" not in text for text in contents(tmp_path / "site").values())


def test_the_same_history_gives_the_same_bytes_and_a_run_more_changes_only_what_it_must(
    build: Path, site: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    draw_anew(monkeypatch)
    publish(build, tmp_path / "two")
    assert contents(site) == contents(tmp_path / "two")
    before = inodes(site)
    assert publish(build, site).written == 0
    assert inodes(site) == before
    add(build, 4, variant("cloud-docker"), variant("atomic-min", JQ.model_copy(update={"version": "1.8"})))
    publish(build, site)
    after = inodes(site)
    changed = {name for name in before if after[name] != before[name]}
    assert changed == {
        ".workbook-site", "index.html", "runs/index.html", "variants/index.html", "variants/atomic-min/index.html",
        "variants/cloud-docker/index.html", "packages/index.html", "packages/jq/index.html", "feed.xml",
    }  # fmt: skip
    assert {name.split("/")[1] for name in after.keys() - before.keys()} == {"2026-11-04T03-00-00Z-default"}
    publish(build, tmp_path / "anew")
    assert contents(tmp_path / "anew") == contents(site), "published at once or run by run"


def test_a_run_that_failed_or_broke_a_budget_has_a_page_and_is_never_the_latest(build: Path, tmp_path: Path) -> None:
    site = tmp_path / "site"
    over = add(build, 4, variant("cloud-docker"), variant("atomic-min", tree_bytes=9), breaches=[BREACH])
    broken = factory.failed_result().model_copy(update={"variant": "atomic-min"})
    failed = add(build, 5, variant("cloud-docker"), broken)
    partial = add(build, 6, variant("cloud-docker"), whole=False)
    assert [run.run for run in publish(build, site).latest] == ["2026-11-03T03-00-00Z-default"]
    front = page(site, "index.html")
    assert front.index('role="alert"') < front.index("<h1>")
    assert "default, 5 November 2026: failed: atomic-min" in front
    assert 'runs/2026-11-03T03-00-00Z-default/index.html">This run in full' in front
    runs = page(site, "runs/index.html")
    assert "✗ 1 broken budget" in runs
    assert "✗ failed: atomic-min" in runs
    assert "a part of the study, or with other parameters" in runs
    assert all((site / "runs" / name / "index.html").is_file() for name in (over, failed, partial))
    assert "failed in the newest run" in page(site, "variants/atomic-min/index.html")
    titles = [one.findtext(f"{ATOM}title", "") for one in ElementTree.parse(site / "feed.xml").iter(f"{ATOM}entry")]
    assert [title.partition(" — ")[2] for title in titles[:3]] == ["", "failed: atomic-min", "1 broken budget"]


def test_pages_of_a_removed_run_stay_and_one_that_was_never_published_has_its_figures(
    build: Path, site: Path, tmp_path: Path
) -> None:
    before = contents(site)
    shutil.rmtree(build / "runs/2026-11-01T03-00-00Z-default")
    assert publish(build, site).written == 0
    assert contents(site) == before
    publish(build, tmp_path / "other")
    text = page(tmp_path / "other", "runs/2026-11-01T03-00-00Z-default/index.html")
    assert "The directory of this run was removed" in text
    assert "files in the tree" in text


def test_a_run_has_its_files_their_checksums_and_its_sbom(build: Path, tmp_path: Path) -> None:
    name = add(build, 4, variant("cloud-docker"))
    run, published = build / "runs" / name, tmp_path / "site/runs" / name
    (run / "cloud-docker/sbom.cdx.json").write_text('{"bomFormat": "CycloneDX"}')
    (run / "keep").touch()
    (run / "cloud-docker/.hidden.json").touch()
    (run / "cloud-docker/link.json").symlink_to("/etc/passwd")
    publish(build, tmp_path / "site")
    lines = [line.split("  ") for line in (published / "SHA256SUMS").read_text().splitlines()]
    sums = {name: digest for digest, name in lines}
    assert {"figures.csv", "results.json", "cloud-docker/lock.json", "cloud-docker/sbom.cdx.json"} <= sums.keys()
    assert {"keep", "cloud-docker/.hidden.json", "cloud-docker/link.json"}.isdisjoint(sums)
    assert all(file_sha256(published / file) == digest for file, digest in sums.items())
    downloads = page(tmp_path / "site", f"runs/{name}/downloads.html")
    assert 'href="cloud-docker/sbom.cdx.json"' in downloads
    assert "(CycloneDX)" in downloads
    assert f'href="../../runs/{name}/downloads.html"' in (published / "index.html").read_text()


def test_release_notes_written_after_publication_are_added_and_nothing_else(build: Path, tmp_path: Path) -> None:
    name = add(build, 4, variant("cloud-docker"))
    run, published = build / "runs" / name, tmp_path / "site/runs" / name
    publish(build, tmp_path / "site")
    before = (published / "results.json").read_text()
    (run / "results.json").write_text(f"{before} ")
    (run / "cloud-docker/release-notes.md").write_text("# Notes\n")
    (run / "cloud-docker/release-notes.html").write_text("<header>\n</header>")
    publish(build, tmp_path / "site")
    assert (published / "results.json").read_text() == before
    downloads = page(tmp_path / "site", f"runs/{name}/downloads.html")
    for file in ("release-notes.md", "release-notes.html"):
        assert (published / "cloud-docker" / file).is_file()
        assert f'href="cloud-docker/{file}"' in downloads


def test_nothing_names_the_host_or_a_place_on_it(build: Path, tmp_path: Path) -> None:
    name = add(build, 4, variant("cloud-docker"))
    traces = f"{CHECKOUT}/params on {socket.gethostname()}, {Path.home()}/.ssh"
    (build / "runs" / name / "notes.csv").write_text(traces)
    publish(build, tmp_path / "site")
    for text in contents(tmp_path / "site").values():
        assert str(CHECKOUT).encode() not in text
        assert str(tmp_path).encode() not in text
    assert (tmp_path / "site/runs" / name / "notes.csv").read_text() != traces


def test_the_feed_has_the_summaries_and_its_identities_never_change(site: Path) -> None:
    feed = ElementTree.parse(site / "feed.xml")
    entries = list(feed.iter(f"{ATOM}entry"))
    assert [one.findtext(f"{ATOM}content") for one in entries] == [
        f"<pre># Summary of day {day}</pre>" for day in (3, 2, 1)
    ]
    assert next(one.findtext(f"{ATOM}updated") for one in entries) == "2026-11-03T03:10:00+00:00"
    links = [link.get("href") for one in entries for link in one.iter(f"{ATOM}link")]
    assert links[0] == "runs/2026-11-03T03-00-00Z-default/index.html"
    identities = [one.findtext(f"{ATOM}id") for one in (feed.getroot(), *entries)]
    assert len(set(identities)) == 4
    assert identities[-1] == "urn:uuid:7f8ee54d-0701-5f7b-8b6a-3f759cd41444"


def test_images_are_published_on_request_if_they_are_those_that_were_measured(build: Path, tmp_path: Path) -> None:
    image = build / "store/image" / ("a" * 32) / "disk.qcow2"
    image.parent.mkdir(parents=True)
    image.write_bytes(b"an image")
    stage = StageTime(stage="image", seconds=1, reused=False, key="a" * 32)
    name = add(build, 4, variant("cloud-docker", stages=(stage,), image_compressed_sha256=file_sha256(image)))
    add(build, 5, variant("cloud-docker", stages=(stage,), image_compressed_sha256=file_sha256(image)))
    store, runs = Store(build / "store"), build / "runs"
    with open_history(build / "history.sqlite") as history:
        record_missing_runs(history, runs)
        publish_site(history, runs, tmp_path / "site")
        assert not list((tmp_path / "site").rglob("*.qcow2"))
        publish_site(history, runs, tmp_path / "site", store)
        published = tmp_path / "site/runs/2026-11-05T03-00-00Z-default"
        assert (published / "cloud-docker/cloud-docker.qcow2").read_bytes() == b"an image"
        assert "cloud-docker/cloud-docker.qcow2" in (published / "SHA256SUMS").read_text()
        assert not list((tmp_path / "site/runs" / name).rglob("*.qcow2")), "only of the latest run"
        image.write_bytes(b"another")
        with pytest.raises(WorkbookError, match="is not the image that 2026-11-05T03-00-00Z-default measured"):
            publish_site(history, runs, tmp_path / "anew", store)
    assert not (tmp_path / "anew").exists()


def test_an_empty_history_is_a_site_too(tmp_path: Path) -> None:
    publish(tmp_path / "build", tmp_path / "site")
    assert "No runs yet" in page(tmp_path / "site", "index.html")


def test_two_studies_have_a_part_of_the_front_page_each(build: Path, tmp_path: Path) -> None:
    with open_history(build / "history.sqlite") as history:
        record_missing_runs(history, build / "runs")
        history.execute("UPDATE runs SET study = 'other', title = 'Another' WHERE run LIKE '2026-11-01%'")
        publish_site(history, build / "runs", tmp_path / "site")
    front = page(tmp_path / "site", "index.html")
    assert 'id="another"' in front
    assert 'id="overview-default"' in front
    assert 'id="over-time-other"' in front
    assert sorted(set(ids := Links(front).ids)) == sorted(ids)


@pytest.mark.parametrize("name", ["../evil", "..", "a/b", "a b", "", "index.html"])
def test_a_hostile_name_of_a_package_stays_in_the_site(name: str) -> None:
    assert re.fullmatch(r"packages/-[0-9a-f]{16}/index.html", package_page(name))
