"""The image and the wheel without a container engine: files are read, the build steps are run on a bare folder."""

import json
import os
import re
import shutil
import subprocess
import sys
import zipfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).resolve().parent.parent
STATIC = ROOT / "backend" / "iafa" / "static"
BIN = Path(sys.executable).parent
DATA = "/data"


@dataclass
class Stage:
    """One FROM and what follows it: (instruction, arguments) in order."""

    image: str
    name: str
    steps: list[tuple[str, str]] = field(default_factory=list)

    def arguments(self, instruction: str) -> list[str]:
        return [arguments for name, arguments in self.steps if name == instruction]


def read_dockerfile(text: str) -> list[Stage]:
    lines = re.sub(r"\\\n\s*", " ", re.sub(r"(?m)^#.*\n", "", text)).splitlines()
    stages: list[Stage] = []
    for line in filter(str.strip, lines):
        instruction, _, arguments = line.strip().partition(" ")
        if instruction == "FROM":
            image, _, name = arguments.partition(" AS ")
            stages.append(Stage(image, name))
        else:
            stages[-1].steps.append((instruction, arguments.strip()))
    return stages


@pytest.fixture(scope="module")
def stages() -> dict[str, Stage]:
    return {stage.name: stage for stage in read_dockerfile((ROOT / "Dockerfile").read_text())}


@pytest.fixture(scope="module")
def compose() -> dict[str, Any]:
    loaded: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
    return loaded


def test_hadolint_finds_nothing() -> None:
    found = subprocess.run([BIN / "hadolint", ROOT / "Dockerfile"], capture_output=True, text=True, check=False)
    assert found.returncode == 0, found.stdout


def test_every_base_image_is_pinned_to_a_full_version(stages: dict[str, Stage]) -> None:
    for stage in stages.values():
        assert re.fullmatch(r"[a-z]+:\d+\.\d+\.\d+-[a-z-]+", stage.image), stage.image


def test_the_runtime_is_not_root(stages: dict[str, Stage]) -> None:
    user, group = stages["runtime"].arguments("USER")[-1].split(":")
    assert int(user) >= 1000
    assert int(group) >= 1000
    last_user = max(place for place, (name, _) in enumerate(stages["runtime"].steps) if name == "USER")
    later = [name for name, _ in stages["runtime"].steps[last_user:]]
    assert "RUN" not in later, "what runs after USER would need its rights"


def test_the_runtime_keeps_data_in_a_volume_and_serves_a_port(stages: dict[str, Stage]) -> None:
    runtime = stages["runtime"]
    environment = dict(pair.split("=", 1) for pair in runtime.arguments("ENV")[0].split())
    assert json.loads(runtime.arguments("VOLUME")[0]) == [DATA] == [environment["DATA_DIR"]]
    assert runtime.arguments("EXPOSE") == ["8000"] == [environment["API_PORT"]]
    assert environment["ENVIRONMENT"] == "production"


def test_the_image_carries_the_bytecode_that_the_runtime_may_not_write(stages: dict[str, Stage]) -> None:
    assert "PYTHONDONTWRITEBYTECODE=1" in stages["runtime"].arguments("ENV")[0].split()
    assert "UV_COMPILE_BYTECODE=1" in stages["environment"].arguments("ENV")


def test_the_health_check_needs_nothing_that_the_image_lacks(stages: dict[str, Stage]) -> None:
    health = stages["runtime"].arguments("HEALTHCHECK")[0]
    command = json.loads(health[health.index("CMD ") + 4 :])
    assert command[0] == "python"
    compile(command[2], "healthcheck", "exec")
    assert "/health/live" in command[2]


def test_the_images_front_end_is_built_as_make_builds_it(stages: dict[str, Stage]) -> None:
    steps = " ".join(stages["front-end"].arguments("RUN"))
    makefile = (ROOT / "Makefile").read_text()
    for shared in (
        "ci --ignore-scripts --no-audit --no-fund",
        "tracker-js/dist/*.*",
        r"sed 's#https://cdn\.redoc\.ly/redoc/logo-mini\.svg#data:,#'",
        "frontend/node_modules/swagger-ui-dist/swagger-ui.css",
        "frontend/node_modules/swagger-ui-dist/swagger-ui-bundle.js",
        "frontend/node_modules/redoc/bundles/redoc.standalone.js",
    ):
        assert shared in steps
        assert shared in makefile


def test_make_and_the_image_install_the_same_uv(stages: dict[str, Stage]) -> None:
    version = re.search(r"UV_VERSION := (\S+)", (ROOT / "Makefile").read_text())
    assert version is not None
    assert f"uv=={version[1]}" in " ".join(stages["environment"].arguments("RUN"))


def test_every_copied_path_exists_and_is_not_ignored(stages: dict[str, Stage]) -> None:
    ignored = (ROOT / ".dockerignore").read_text().split()
    for stage in stages.values():
        for copy in stage.arguments("COPY"):
            if copy.startswith("--from="):
                continue
            for source in copy.split()[:-1]:
                assert (ROOT / source).exists(), source
                assert source.split("/")[0] not in ignored, source
    for secret in (".env", "data", ".git"):
        assert secret in ignored


def test_compose_runs_the_image_safely_with_a_volume(compose: dict[str, Any]) -> None:
    api = compose["services"]["api"]
    assert api["build"]["target"] in {stage.name for stage in read_dockerfile((ROOT / "Dockerfile").read_text())}
    assert [f"{name}:{DATA}" for name in compose["volumes"]] == api["volumes"]
    assert api["ports"][0].endswith(":8000")
    assert api["ports"][0].startswith("${IAFA_ADDRESS:-127.0.0.1}"), "not open to the network unless asked for"
    assert api["read_only"] is True
    assert api["cap_drop"] == ["ALL"]
    assert ":?" in api["environment"]["SECRET_KEY"], "a missing secret stops the start"


def test_compose_starts_redis_only_on_request(compose: dict[str, Any]) -> None:
    assert compose["services"]["redis"]["profiles"] == ["redis"]
    assert "depends_on" not in compose["services"]["api"]


def test_compose_images_are_pinned(compose: dict[str, Any]) -> None:
    for service in compose["services"].values():
        assert re.fullmatch(r"[a-z]+:\d+\.\d+\.\d+(-[a-z]+)?", service["image"]), service["image"]


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory, stages: dict[str, Stage]) -> Path:
    """The environment stage, run on a bare folder: its COPY and RUN steps as they stand, with another target folder."""
    if not (STATIC / "tracker" / "t.js").exists() or not (STATIC / "dashboard" / "index.html").exists():
        pytest.skip("the front end is not built: run `make setup`")
    build = tmp_path_factory.mktemp("image") / "build"
    target = build.parent / "opt" / "iafa"
    build.mkdir()
    for instruction, arguments in stages["environment"].steps:
        if instruction == "COPY" and not arguments.startswith("--from="):
            *sources, last = arguments.split()
            for source in sources:
                _copy(ROOT / source, build / last / source if last.endswith("/") else build / last)
        elif instruction == "RUN" and not arguments.startswith("pip install"):
            # Two things differ from the image: where the environment lies, and that downloads may be reused.
            step = arguments.replace("/opt/iafa", str(target)).replace(" --no-cache", "")
            done = subprocess.run(step, shell=True, cwd=build, env=_environment(), capture_output=True, text=True)
            assert done.returncode == 0, done.stdout + done.stderr
    return target


@pytest.mark.slow
def test_the_wheel_carries_dashboard_tracker_and_documents(installed: Path) -> None:
    (wheel,) = (installed.parent.parent / "build" / "dist").glob("*.whl")
    names = set(zipfile.ZipFile(wheel).namelist())
    for wanted in (
        "static/dashboard/index.html",
        "static/tracker/t.js",
        "static/tracker/tracker.js",
        "static/docs/redoc.standalone.js",
        "static/docs/swagger-ui-bundle.js",
        "api/pages/docs.html",
        "query/sql/reach.sql",
        "checks/templates/purchase.yaml",
    ):
        assert f"iafa/{wanted}" in names


@pytest.mark.slow
def test_the_installed_command_starts_without_the_checkout(installed: Path, tmp_path: Path) -> None:
    said = subprocess.run(
        [installed / "bin" / "iafa", "--help"], cwd=tmp_path, env=_environment(), capture_output=True, text=True
    )
    assert said.returncode == 0, said.stderr
    assert "serve" in said.stdout
    where = subprocess.run(
        [installed / "bin" / "python", "-c", "import iafa.wiring; print(iafa.__file__)"],
        cwd=tmp_path,
        env=_environment(),
        capture_output=True,
        text=True,
    )
    assert where.returncode == 0, where.stderr
    assert where.stdout.startswith(str(installed)), where.stdout


def _copy(source: Path, target: Path) -> None:
    ignore = shutil.ignore_patterns("__pycache__", "node_modules")
    if source.is_dir():
        shutil.copytree(source, target, ignore=ignore)
    else:
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(source, target)


def _environment() -> dict[str, str]:
    """The caller's, without what would lead tools back into this checkout's environment."""
    kept = {name: value for name, value in os.environ.items() if name not in {"VIRTUAL_ENV", "PYTHONPATH", "DATA_DIR"}}
    return kept | {"PATH": f"{BIN}{os.pathsep}{os.environ['PATH']}"}
