"""A package that is good stays and is kept; one that is not gives way to the last good one, in both apps."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from zipfile import ZipFile

import pytest

from infra.release import packages, shelf, target
from infra.release.failure import Failed
from infra.release.rollout import Rollout
from infra.release.smoke import Patience
from infra.release.target import Target
from tests.infra.release.place import AnsweringApp, Place, package, usual

QUICK = Patience(seconds=0.2, pause=0.01, request=5)
LONG = Patience(seconds=30, pause=0.01, request=5)  # where the second look is to be made on any machine
GROUP = ("rg-team", "func-x", "func-op-x")


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Place:
    made = Place(tmp_path)
    for name, value in made.env.items():
        monkeypatch.setenv(name, value)
    return made


@pytest.fixture
def app(place: Place) -> Iterator[AnsweringApp]:
    with place.app() as app:
        yield app


@pytest.fixture
def rollout(app: AnsweringApp) -> Rollout:
    return Rollout(Target(*GROUP, app.url, "stdata", "3.12"), lambda text: None, QUICK, "What failed?")


def deploy(rollout: Rollout, place: Place, build: str, **options: str) -> str:
    """What it says where it fails."""
    try:
        rollout.deploy(packages.read(place.package(build, **options)))
    except Failed as exc:
        return str(exc)
    return ""


def running(place: Place) -> tuple[str, str]:
    return place.running("func-x").removeprefix("0.1.0-"), place.running("func-op-x").removeprefix("0.1.0-")


def test_a_good_package_is_in_both_apps_and_kept_as_good(place: Place, rollout: Rollout) -> None:
    assert deploy(rollout, place, "one") == ""
    assert running(place) == ("one", "one")
    (kept,) = shelf.releases(rollout.target)
    assert kept.version == "0.1.0-one"
    assert kept.good


def test_a_right_that_was_just_given_is_waited_for(place: Place, rollout: Rollout) -> None:
    place.write("forbidden", "")
    assert deploy(replace(rollout, patience=LONG), place, "one") == ""


@pytest.mark.parametrize("bad", ["ill", "mute"])
def test_a_bad_one_gives_way_to_the_last_good_one(place: Place, rollout: Rollout, bad: str) -> None:
    deploy(rollout, place, "one")
    text = deploy(rollout, place, bad)
    assert text.startswith(f"0.1.0-{bad} failed: ")
    assert text.endswith("0.1.0-one is back and good.")
    assert running(place) == ("one", "one")
    assert [kept.version for kept in shelf.releases(rollout.target) if kept.good] == ["0.1.0-one"]


def test_a_bad_one_never_reaches_the_app_that_changes_factories(place: Place, rollout: Rollout) -> None:
    deploy(rollout, place, "one")
    deploy(rollout, place, "ill")
    sent = [call for call in place.calls if "config-zip" in call and "--name func-op-x" in call]
    assert [call for call in sent if "ill.zip" in call] == []


def test_one_that_does_not_load_in_the_operators_app_takes_back_both(place: Place, rollout: Rollout) -> None:
    deploy(rollout, place, "one")
    text = deploy(rollout, place, "unloadable")
    assert "func-op-x does not know actions_execute" in text
    assert running(place) == ("one", "one")


def test_both_apps_are_of_one_version_where_putting_back_does_not_make_it_well(
    place: Place, rollout: Rollout, app: AnsweringApp
) -> None:
    deploy(rollout, place, "one")
    app.says["/api/health?deep=true"] = [usual(app, "/api/health?deep=true")]
    app.says["/api/health?deep=true"][0][1]["version"] = "0.1.0-unloadable"
    app.troubled = True
    text = deploy(rollout, place, "unloadable")
    assert "0.1.0-one was put back and fails too: The app is not well" in text
    assert running(place) == ("one", "one")


def test_both_apps_are_of_one_version_where_going_back_does_not_help(
    place: Place, rollout: Rollout, app: AnsweringApp
) -> None:
    deploy(rollout, place, "one")
    deploy(rollout, place, "two")
    app.troubled = True
    with pytest.raises(Failed, match="The app is not well"):
        rollout.rollback("0.1.0-one")
    assert running(place) == ("one", "one")
    assert shelf.releases(rollout.target)[0].version == "0.1.0-two"


def test_going_back_to_one_that_was_never_good_is_a_deployment_of_it(place: Place, rollout: Rollout) -> None:
    deploy(rollout, place, "one")
    deploy(rollout, place, "ill")
    with pytest.raises(Failed, match=r"0\.1\.0-one is back and good"):
        rollout.rollback("0.1.0-ill")
    assert running(place) == ("one", "one")
    assert not [call for call in place.calls if "--name func-op-x" in call and "ill.zip" in call]


def test_going_back_twice_goes_further_back(place: Place, rollout: Rollout) -> None:
    for build in ("one", "two", "three"):
        deploy(rollout, place, build)
    rollout.rollback()
    rollout.rollback()
    assert running(place) == ("one", "one")


def test_where_the_app_does_not_say_what_runs_the_good_ones_are_named(
    place: Place, rollout: Rollout, app: AnsweringApp
) -> None:
    for build in ("one", "two", "ill"):
        deploy(rollout, place, build)
    app.says["/api/health"] = [(503, {})]
    with pytest.raises(Failed, match=r"is not known; good ones: 0\.1\.0-two, 0\.1\.0-one \(--to\)"):
        rollout.rollback()
    assert running(place) == ("two", "two")


def test_other_bytes_under_the_same_version_are_not_good_because_the_first_were(place: Place, rollout: Rollout) -> None:
    deploy(rollout, place, "one")
    deploy(rollout, place, "two")
    anew = place.package("two")
    with ZipFile(anew, "a") as archive:
        archive.writestr("more.py", "")
    place.write("refuses", "func-op-x")
    with pytest.raises(Failed, match=r"0\.1\.0-one was put back"):
        rollout.deploy(packages.read(anew))
    assert [kept.version for kept in shelf.releases(rollout.target) if kept.good] == ["0.1.0-one"]


def test_a_look_at_the_operators_app_that_fails_is_made_again(place: Place, rollout: Rollout) -> None:
    place.write("busy", "")
    assert deploy(replace(rollout, patience=LONG), place, "one") == ""
    assert running(place) == ("one", "one")


def test_a_deployment_that_azure_refuses_goes_back_too(place: Place, rollout: Rollout) -> None:
    deploy(rollout, place, "one")
    place.write("refuses", "func-op-x")
    text = deploy(rollout, place, "two")
    assert "0.1.0-one was put back and fails too" in text  # the operator's app refuses that one as well
    place.write("refuses", "")
    assert deploy(rollout, place, "three") == ""


def test_the_first_one_ever_stays_however_bad(place: Place, rollout: Rollout) -> None:
    assert deploy(rollout, place, "ill").endswith("Nothing was good here before, so 0.1.0-ill stays.")
    assert running(place) == ("ill", "")


def test_the_same_one_again_that_fails_now_is_not_to_blame(place: Place, rollout: Rollout) -> None:
    deploy(rollout, place, "one")
    deploy(rollout, place, "two")
    place.write("refuses", "func-x")
    text = deploy(rollout, place, "two")
    assert text.endswith("0.1.0-two was good here before: look at what is around it.")
    assert len([call for call in place.calls if "one.zip" in call and "config-zip" in call]) == 2


def test_a_package_for_another_python_is_not_sent(place: Place, rollout: Rollout) -> None:
    text = deploy(rollout, place, "one", python="3.11")
    assert "is made for Python 3.11, and func-x runs 3.12" in text
    assert not [call for call in place.calls if "config-zip" in call]
    assert shelf.releases(rollout.target) == []


def test_going_back_takes_the_last_good_one_that_does_not_run(place: Place, rollout: Rollout) -> None:
    for build in ("three", "one", "two"):
        deploy(rollout, place, build)
    rollout.rollback()
    assert running(place) == ("one", "one")
    assert shelf.releases(rollout.target)[0].version == "0.1.0-one"  # the latest good one from now on


def test_going_back_to_one_that_is_named(place: Place, rollout: Rollout) -> None:
    for build in ("one", "two", "three"):
        deploy(rollout, place, build)
    rollout.rollback("0.1.0-one")
    assert running(place) == ("one", "one")


@pytest.mark.parametrize("version", ["0.1.0-never", "../one", ""])
def test_what_is_not_kept_cannot_be_gone_back_to(place: Place, rollout: Rollout, version: str) -> None:
    deploy(rollout, place, "one")
    with pytest.raises(Failed, match=r"only 0\.1\.0-one"):
        rollout.rollback(version)
    assert running(place) == ("one", "one")


def test_one_that_was_never_good_is_not_gone_back_to_unless_it_is_named(place: Place, rollout: Rollout) -> None:
    deploy(rollout, place, "one")
    deploy(rollout, place, "ill")
    with pytest.raises(Failed, match=r"^no good release but 0\.1\.0-one is kept"):
        rollout.rollback()
    assert running(place) == ("one", "one")


def test_a_kept_package_that_somebody_changed_is_not_deployed(place: Place, rollout: Rollout) -> None:
    deploy(rollout, place, "one")
    deploy(rollout, place, "two")
    package(place.state / "blobs" / "0.1.0-one.zip", "one", python="3.13")
    with pytest.raises(Failed, match="is not the one that was put there"):
        rollout.rollback("0.1.0-one")
    assert running(place) == ("two", "two")


def test_where_it_goes_is_found_by_what_azd_tagged(place: Place) -> None:
    found = target.find("team")
    assert found == Target(*GROUP, "https://func-x.example", "stdata", "3.12")
    assert found.container == "releases"


@pytest.mark.parametrize("name", ["", "a b", "x; echo"])
def test_what_is_no_name_of_an_environment_reaches_no_command(place: Place, name: str) -> None:
    with pytest.raises(Failed, match="no name of an environment"):
        target.find(name)
    assert place.calls == []


def test_an_environment_without_its_apps_is_told(place: Place) -> None:
    place.write("apps.json", "[]")
    with pytest.raises(Failed, match="tagged app or operator: run 'azd provision' first"):
        target.find("team")


@pytest.mark.parametrize("part", ["core/version.py", "core/build.txt", "core/__pycache__", ".python_packages"])
def test_a_zip_that_is_not_whole_is_no_package(tmp_path: Path, part: str) -> None:
    with pytest.raises(Failed, match="make release"):
        packages.read(package(tmp_path / "x.zip", "one", leave_out=part))


def test_a_file_that_is_no_zip_is_no_package(tmp_path: Path) -> None:
    (tmp_path / "x.zip").write_text("PK")
    with pytest.raises(Failed, match="is no package"):
        packages.read(tmp_path / "x.zip")


def test_the_key_is_on_no_command_line_and_in_no_word(place: Place, capsys: pytest.CaptureFixture[str]) -> None:
    with place.app() as app:
        said: list[str] = []
        made = Rollout(Target(*GROUP, app.url, "stdata", "3.12"), said.append, QUICK, "What failed?")
        deploy(made, place, "one")
        assert app.keys == {"a-function-key"}
    assert not [line for line in (*place.calls, *said, capsys.readouterr().out) if "a-function-key" in line]
