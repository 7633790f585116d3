"""Who may see the page, and what a browser may do with it."""

import asyncio
import re
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
from tests.support.page import page_of, request, viewing
from websockets.exceptions import InvalidStatus

import motionscribe.page
from motionscribe.cli import main

STATIC = Path(motionscribe.page.__file__).parent / "static"
NO_SERVER = "127.0.0.1:9"


def with_page(test: Callable[[str], Awaitable[None]], token: str | None = None) -> None:
    async def run() -> None:
        async with page_of(NO_SERVER, token) as page:
            await test(page)

    asyncio.run(run())


async def status_of_viewing(page: str, cookie: str = "", origin: str | None = None) -> int:
    """101 where the WebSocket opens."""
    try:
        async with viewing(page, cookie, origin) as viewer:
            await viewer.read_a("streams")
            return 101
    except InvalidStatus as refused:
        return refused.response.status_code


def test_every_answer_has_the_headers_of_security() -> None:
    async def test(page: str) -> None:
        for path in ("/", "/static/main.js", "/static/nothing.js", "/login"):
            _, headers, _ = await request(page, path)
            policy = headers["content-security-policy"]
            assert policy.startswith("default-src 'none'; script-src 'self'; style-src 'self';")
            assert "unsafe" not in policy
            assert headers["x-content-type-options"] == "nosniff"
        status, headers, _ = await request(page, "/static/main.js")
        assert (status, headers["content-type"].split(";")[0]) == (200, "text/javascript")
        assert (await request(page, "/static/../app.py"))[0] == 404
        assert (await request(page, "/static/%2e%2e/app.py"))[0] == 404

    with_page(test)


def test_pages_of_others_open_no_websocket() -> None:
    async def test(page: str) -> None:
        assert await status_of_viewing(page) == 101
        port = page.split(":")[1]
        for origin in (
            "http://evil.example",
            f"http://evil.example:{port}",
            "null",
            "",
            "http://[",
            "http://127.0.0.1:1",
        ):
            assert await status_of_viewing(page, origin=origin) == 403

    with_page(test)


def test_an_open_page_answers_to_names_of_this_machine_alone() -> None:
    async def test(page: str) -> None:
        port = page.split(":")[1]
        for host in (page, f"localhost:{port}", f"[::1]:{port}"):
            assert (await request(page, "/", Host=host))[0] == 200
        for host in ("evil.example", f"evil.example:{port}", "", "[", "127.0.0.1.evil.example"):
            assert (await request(page, "/", Host=host))[0] == 403

    with_page(test)


def test_a_token_opens_the_page() -> None:
    async def test(page: str) -> None:
        status, headers, _ = await request(page, "/")
        assert (status, headers["location"]) == (303, "/login")
        assert (await request(page, "/static/store.js"))[0] == 303
        assert await status_of_viewing(page) == 403
        assert await status_of_viewing(page, cookie="motionscribe-page=guess") == 403
        status, headers, text = await request(page, "/login")
        assert (status, 'name="token"' in text) == (200, True)
        same = {"Origin": f"http://{page}"}
        for wrong in ("token=guess", "token=", "x", "token=%ff%00"):
            status, headers, _ = await request(page, "/login", wrong, **same)
            assert (status, "set-cookie" in headers) == (401, False)
        assert (await request(page, "/login", "token=secret", Origin="http://evil.example"))[0] == 403
        assert (await request(page, "/login", "token=" + "x" * 10_000, **same))[0] == 413
        status, headers, _ = await request(page, "/login", "token=secret", **same)
        assert (status, headers["location"]) == (303, "/")
        cookie, *attributes = headers["set-cookie"].split("; ")
        assert {"HttpOnly", "SameSite=strict", "Path=/"} <= set(attributes)
        assert "secret" not in cookie
        assert (await request(page, "/", Cookie=cookie))[0] == 200
        assert await status_of_viewing(page, cookie) == 101
        assert await status_of_viewing(page, cookie, origin="http://evil.example") == 403

    with_page(test, token="secret")


def test_the_page_names_no_other_host_and_no_inline_script() -> None:
    files = [file for file in STATIC.iterdir() if file.suffix in (".html", ".css", ".js", ".svg")]
    assert len(files) >= 15
    for file in files:
        text = file.read_text("utf-8").replace('xmlns="http://www.w3.org/2000/svg"', "")
        assert not re.search(r"https?://(?!\$)|//[a-z0-9-]+\.[a-z]|@import|url\(", text), file.name
        if file.suffix == ".html":
            assert not re.search(r"<script(?![^>]* src=)|<style| style=| on[a-z]+=", text), file.name
        if file.suffix == ".js":
            assert not re.search(r"innerHTML|insertAdjacentHTML|document\.write|eval\(|new Function", text), file.name
            assert len(text.splitlines()) < 200, file.name


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        (["--host", "0.0.0.0"], "expected a token (--token-file)"),
        (["--host", "0.0.0.0", "--token-file", "TOKEN"], "expected --page-cert and --page-key for a page on 0.0.0.0"),
        (["--page-cert", "TOKEN"], "expected --page-cert and --page-key, got one of them"),
    ],
)
def test_others_come_in_by_token_and_encrypted(
    options: list[str], expected: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "token").write_text("secret\n")
    arguments = [str(tmp_path / "token") if option == "TOKEN" else option for option in options]
    assert main(["page", "--port", "0", "--address", NO_SERVER, *arguments]) == 1
    assert expected in capsys.readouterr().err
