"""Route templates without a server."""

from __future__ import annotations

import pytest

from localcloud.host.functions import Binding, Function
from localcloud.host.routes import Route, find_route, normal_path, read_route, split_path
from localcloud.host.settings import LoadError


def make_route(template: str, *methods: str, prefix: str = "", name: str = "f") -> Route:
    trigger = Binding("httpTrigger", "req", {"route": template, "methods": list(methods)})
    return read_route(Function(name, print, trigger, (), "", False), prefix)


def match(template: str, path: str) -> dict[str, str] | None:
    return make_route(template).match("GET", split_path(path))


@pytest.mark.parametrize(
    ("template", "path", "expected"),
    [
        ("a/b", "/a/b", {}),
        ("a/b", "/A/B/", {}),
        ("a/b", "/a", None),
        ("a", "/a/b", None),
        ("a/{x}", "/a/b", {"x": "b"}),
        ("a/{x}", "/a/", None),
        ("a/{x}", "/a/b%2Fc", {"x": "b/c"}),
        ("a/{x?}", "/a", {}),
        ("a/{x=7}", "/a", {"x": "7"}),
        ("a/{*rest}", "/a", {}),
        ("a/{*rest}", "/a/b/c", {"rest": "b/c"}),
        ("{*rest}", "/", {}),
        ("{name}.{kind}", "/page.html", {"name": "page", "kind": "html"}),
        ("v{n:int}", "/v12", {"n": "12"}),
        ("{n:int}", "/12x", None),
        ("{n:int:min(3)}", "/2", None),
        ("{n:int:min(3)}", "/3", {"n": "3"}),
        ("{id:guid}", "/0af76519-16cd-43dd-8448-eb211c80319c", {"id": "0af76519-16cd-43dd-8448-eb211c80319c"}),
        ("{id:guid}", "/not-one", None),
        ("{s:alpha:maxlength(3)}", "/abcd", None),
        (r"{d:regex(^\d{3}$)}", "/123", {"d": "123"}),
        (r"{d:regex(^\d{3}$)}", "/1234", None),
    ],
)
def test_templates_match_as_in_the_real_host(template: str, path: str, expected: dict[str, str] | None) -> None:
    assert match(template, path) == expected


def test_the_prefix_comes_first_and_may_be_empty() -> None:
    assert make_route("x", prefix="api").template == "api/x"
    assert make_route("x", prefix="").template == "x"


def test_a_function_without_a_route_is_found_by_its_name() -> None:
    assert make_route("", prefix="api", name="hello").template == "api/hello"


def test_a_wide_route_registered_first_takes_it_all() -> None:
    routes = [make_route("{*rest}", name="wide"), make_route("api/x", name="narrow")]
    found = find_route(routes, "GET", ["api", "x"])
    assert found is not None
    assert found[0].function.name == "wide"


def test_a_method_that_is_not_listed_is_no_match() -> None:
    assert make_route("x", "POST").match("GET", ["x"]) is None
    assert make_route("x").match("PATCH", ["x"]) == {}


@pytest.mark.parametrize(
    ("raw", "normal"),
    [
        ("/a/../b", "/b"),
        ("/a/./b", "/a/b"),
        ("/../../b", "/b"),
        ("/a/%2e%2E/b", "/b"),
        ("/a/..", "/"),
        ("/a/b/", "/a/b/"),
    ],
)
def test_dots_are_resolved_before_any_route_is_asked(raw: str, normal: str) -> None:
    assert normal_path(raw) == normal


@pytest.mark.parametrize("template", ["{x:odd}", "a/{x", "x}"])
def test_a_template_that_cannot_be_read_is_told(template: str) -> None:
    with pytest.raises(LoadError):
        make_route(template)
