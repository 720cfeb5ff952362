"""What the product says is about itself: no paths of one machine, no hosts that are not allowed."""

from __future__ import annotations

import re
import subprocess

TEXT = {".py", ".md", ".toml", ".txt", ".yml", ".yaml", ".json", ".html", ".css", ".js", ".jinja"}
THIRD_PARTY = "LICENSE-"  # a licence that came with a font or a picture stays as it came
NAMED = {"Makefile", "LICENSE", ".gitignore", "run"}
MACHINE_PATH = re.compile(r"(?<![\w.~$}{<>-])/(?:work|root|tmp|home|opt|mnt|Users)/")
PLACEHOLDER = re.compile(r"^(?:BENCH|TODO|TBD|FIXME|XXX)\b.*$", re.MULTILINE)
HOST = re.compile(r"(?:https?|wss?|git|ssh)://([^\s/\"'`)>\]]+)", re.IGNORECASE)
# Names of formats, the licence, and addresses that lead nowhere.
HOSTS = re.compile(
    r"www\.w3\.org|json-schema\.org|www\.apache\.org|localhost|127\.0\.0\.1|\[::1\]|0\.0\.0\.0|"
    r"(?:[\w-]+\.)*example(?:\.\w+)?|[\w.-]+\.(?:test|invalid)|[{%<$*.].*"
)


def product_files(root):
    listed = subprocess.run(
        ["git", "ls-files", "-co", "--exclude-standard"],
        cwd=root,
        capture_output=True,
        text=True,
        check=True,
    )
    for name in listed.stdout.splitlines():
        path = root / name
        text = path.suffix in TEXT or path.name in NAMED
        if text and not name.startswith("tests/") and not path.name.startswith(THIRD_PARTY):
            yield name, path.read_text(encoding="utf-8")


def machine_paths(text: str) -> list[str]:
    return [line for line in text.splitlines() if MACHINE_PATH.search(line)]


def strange_hosts(text: str) -> list[str]:
    return [host for host in HOST.findall(text) if not HOSTS.fullmatch(host.split(":")[0] or host)]


def test_no_machine_paths(root):
    found = {name: lines for name, text in product_files(root) if (lines := machine_paths(text))}
    assert not found


def test_no_strange_hosts(root):
    found = {name: hosts for name, text in product_files(root) if (hosts := strange_hosts(text))}
    assert not found


def test_no_placeholders(root):
    found = {
        name: lines
        for name, text in product_files(root)
        if name.endswith(".md") and (lines := PLACEHOLDER.findall(text))
    }
    assert not found


def test_the_rules_see_what_they_should():
    assert machine_paths("see /root/photo.jpg")
    assert machine_paths('open("/tmp/x")')
    assert not machine_paths("src/tmp/ and https://a.test/work/ and {root}/tmp/")
    assert strange_hosts("from https://registry.example-host.org/simple") == [
        "registry.example-host.org"
    ]
    assert PLACEHOLDER.findall("## Figures\n\nBENCH\n") == ["BENCH"]
    assert not strange_hosts("http://127.0.0.1:8000/v1 http://www.w3.org/2000/svg https://{host}/")
