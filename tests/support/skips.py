"""Fails a run of tests in which a test was skipped for a reason that tests/allowed_skips.txt does not list."""

from pathlib import Path

import pytest

ALLOWED = Path(__file__).resolve().parents[1] / "allowed_skips.txt"


class NoSilentSkips:
    """A plugin of pytest: `allowed` has one text per line, which the reason of a skip must contain."""

    def __init__(self, allowed: Path = ALLOWED):
        lines = (line.strip() for line in allowed.read_text(encoding="utf-8").splitlines())
        self.allowed = [line for line in lines if line and not line.startswith("#")]
        self.name = allowed.name
        self.unlisted: list[str] = []

    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        reports = session.config.pluginmanager.get_plugin("terminalreporter").stats.get("skipped", [])
        for report in reports:
            _, _, reason = report.longrepr
            if not any(text in reason for text in self.allowed):
                self.unlisted.append(f"{report.nodeid}: {reason}")
        if self.unlisted:
            session.exitstatus = session.exitstatus or pytest.ExitCode.TESTS_FAILED

    def pytest_terminal_summary(self, terminalreporter) -> None:
        if self.unlisted:
            terminalreporter.section(f"skipped for reasons that {self.name} does not list", red=True, bold=True)
            for line in self.unlisted:
                terminalreporter.line(line, red=True)
