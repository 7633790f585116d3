"""What a viewer sees as files: what the page answers to a request, and what a browser saves."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from pympi import Eaf
from tests.support.browser import Browser, in_a_browser, with_performance
from tests.support.page import page_of, request

from motionscribe import AsyncClient
from motionscribe.events import SegmentEnded
from motionscribe.sinks import read_events

SEGMENT = {
    "event": "SegmentEnded",
    "segment": 1,
    "cluster": 2,
    "name": "walk",
    "guessed": False,
    "start_seq": 1,
    "end_seq": 61,
    "start_us": 2_000_000,
    "end_us": 3_000_000,
}
ALARM = {
    "event": "Anomaly",
    "anomaly": 1,
    "ongoing": False,
    "start_seq": 1,
    "end_seq": 31,
    "kind": "sensor fault",
    "start_us": 2_100_000,
    "end_us": 2_600_000,
    "detector": "jump",
    "phase": "ended",
    "cluster": 0,
    "false_alarms_per_hour": 0.5,
    "joints": ["head"],
    "deviations": [None],  # infinite, as JSON has it
}


def body(**changes: Any) -> str:
    return json.dumps({"stream": "gym", "zero_us": 1_000_000, "events": [SEGMENT, ALARM], **changes})


def with_page(test: Callable[[str], Awaitable[None]], token: str | None = None) -> None:
    async def run() -> None:
        async with page_of("127.0.0.1:9", token) as page:
            await test(page)

    asyncio.run(run())


async def posted(page: str, ending: str, text: str, **headers: str) -> tuple[int, dict[str, str], str]:
    return await request(page, f"/export/{ending}", text, **({"Origin": f"http://{page}"} | headers))


def test_each_format_is_answered_as_a_file(tmp_path: Path) -> None:
    async def test(page: str) -> None:
        for ending in ("csv", "jsonl", "eaf", "boris"):
            status, headers, text = await posted(page, ending, body())
            assert (status, headers["content-disposition"]) == (200, "attachment")
            (tmp_path / f"gym.{ending}").write_text(text, "utf-8")

    with_page(test)
    assert "gym,1,2,walk,2.000000,3.000000,1.000000,1,61" in (tmp_path / "gym.csv").read_text()
    assert [type(event).__name__ for event in read_events(tmp_path / "gym.jsonl")["gym"]] == ["SegmentEnded", "Anomaly"]
    eaf = Eaf(str(tmp_path / "gym.eaf"))
    assert eaf.get_annotation_data_for_tier("gym: labels")[0][:3] == (1000, 2000, "walk")
    assert eaf.get_annotation_data_for_tier("gym: sensor fault")[0][:2] == (1100, 1600)
    project = json.loads((tmp_path / "gym.boris").read_text())
    assert [row[0] for row in project["observations"]["gym"]["events"]] == [1.0, 1.1, 1.6, 2.0]


@pytest.mark.parametrize(
    ("ending", "text", "expected"),
    [
        ("docx", body(), "expected a file of csv, jsonl, eaf, boris, got 'docx'"),
        ("csv", "{", "expected events as JSON"),
        ("csv", "[]", "expected an object of stream, zero_us and events"),
        ("csv", body(stream=7), "expected an object of stream, zero_us and events"),
        ("csv", body(zero_us="0"), "expected an object of stream, zero_us and events"),
        ("csv", body(events=[7]), "expected an event, got '7'"),
        ("csv", body(events=[{**SEGMENT, "start_us": "soon"}]), "expected start_us of type int, got 'soon'"),
        ("csv", body(events=[{**SEGMENT, "start_us": 10**400}]), "expected times in microseconds"),
        ("boris", body(events=[{**SEGMENT, "end_us": 10**400}]), "expected times in microseconds"),
        ("csv", "[" * 100_000, "expected events as JSON"),
    ],
)
def test_bad_requests_are_refused_with_a_reason(ending: str, text: str, expected: str) -> None:
    async def test(page: str) -> None:
        status, _, said = await posted(page, ending, text)
        assert (status, expected in said) == (400, True), said

    with_page(test)


def test_a_request_is_bounded_and_of_the_page_itself() -> None:
    async def test(page: str) -> None:
        assert (await posted(page, "csv", " " * (8 << 20) + body()))[0] == 413
        assert (await posted(page, "csv", body(), Origin="http://evil.example"))[0] == 403
        assert (await request(page, "/export/csv", body()))[0] == 403
        assert (await request(page, "/export/csv"))[0] == 405

    async def without_login(page: str) -> None:
        assert (await posted(page, "csv", body()))[0] == 303

    with_page(test)
    with_page(without_login, token="secret")


class TestInABrowser:
    pytestmark = in_a_browser

    def test_what_is_on_the_timeline_is_saved_with_the_names_of_now(self, tmp_path: Path) -> None:
        async def test(browser: Browser, client: AsyncClient) -> None:
            await browser.until("segments.filter((one) => one.event).length > 1")
            first, second = await browser.state("segments.filter((one) => one.event).slice(0, 2).map((o) => o.cluster)")
            await client.rename("gym", second, "marching")
            await client.merge("gym", [first], second)
            await browser.until(f"clusters.get({first}).merged_into === {second}")
            ended = await browser.state("segments.filter((one) => one.event).length")
            origin_us = await browser.state("originUs")
            page = browser.page
            for ending in ("eaf", "jsonl"):
                await page.locator("#export select").focus()
                await page.keyboard.press("E" if ending == "eaf" else "J")  # by what the kind is called
                await page.keyboard.press("Tab")
                async with page.expect_download() as saving:
                    await page.keyboard.press("Enter")
                saved = await saving.value
                assert saved.suggested_filename == f"gym.{ending}"
                await saved.save_as(tmp_path / saved.suggested_filename)
            assert await browser.state("failure") is None
            labels = Eaf(str(tmp_path / "gym.eaf")).get_annotation_data_for_tier("gym: labels")
            assert len(labels) >= ended
            assert [label[2] for label in labels[:2]] == ["marching", "marching"]
            events = read_events(tmp_path / "gym.jsonl")["gym"]
            segments = [event for event in events if isinstance(event, SegmentEnded)]
            starts = [(segment.start_us - origin_us + 500) // 1000 for segment in segments]
            assert [label[0] for label in labels] == starts[: len(labels)]

        with_performance(tmp_path, test)
