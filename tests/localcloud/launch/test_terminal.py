"""Text on a terminal, and off it."""

from __future__ import annotations

import io

import pytest

from localcloud.launch.terminal import Terminal


class Screen(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_a_terminal_gets_colour() -> None:
    screen = Screen()
    Terminal.on(screen, {"TERM": "xterm"}).line("no", "red")
    assert screen.getvalue() == "\x1b[31mno\x1b[0m\n"


@pytest.mark.parametrize("env", [{"NO_COLOR": "1"}, {"TERM": "dumb"}])
def test_colour_can_be_refused(env: dict[str, str]) -> None:
    screen = Screen()
    Terminal.on(screen, env).line("no", "red")
    assert screen.getvalue() == "no\n"


def test_a_pipe_gets_plain_uncut_text() -> None:
    stream = io.StringIO()
    Terminal.on(stream, {"TERM": "xterm"}).line("x" * 500, "red")
    assert stream.getvalue() == "x" * 500 + "\n"


def test_a_line_is_cut_to_the_width() -> None:
    stream = io.StringIO()
    Terminal(stream, width=8).line("0123456789")
    assert stream.getvalue() == "0123456…\n"


def test_control_characters_never_reach_the_terminal() -> None:
    stream = io.StringIO()
    Terminal(stream).paragraphs("\x1b]0;owned\x07 \x1b[2J a\u202eb\x9bc\r\nnext")
    assert stream.getvalue() == "]0;owned [2J abc\nnext\n"


def test_a_list_item_keeps_its_indent_when_wrapped() -> None:
    stream = io.StringIO()
    Terminal(stream, width=16).paragraphs("- one two three four")
    assert stream.getvalue() == "- one two three\n  four\n"


def test_blank_lines_are_kept() -> None:
    stream = io.StringIO()
    Terminal(stream, width=16).paragraphs("a\n\nb")
    assert stream.getvalue() == "a\n\nb\n"


def test_what_is_to_be_pasted_is_neither_cut_nor_wrapped() -> None:
    stream = io.StringIO()
    Terminal(stream, width=8).verbatim("curl -s http://x")
    assert stream.getvalue() == "curl -s http://x\n"
