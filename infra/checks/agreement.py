"""Templates, parameters, azure.yaml and the code agree: settings, identities, names of queues, parameters, outputs."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml
from tree_sitter import Node

from core.settings import OURS, Settings, surroundings
from infra.checks.tree import Declared, Finding, Template, Templates, at, literal, properties, text, walk

ROOT = Path(__file__).resolve().parents[2]
APPS = {"app": ("storage", "foundry", "adf"), "operator": ("storage", "adf")}  # and what each cannot do without
BINDING = frozenset({"STORAGE__credential", "STORAGE__clientId"})  # the host's, for the same connection
ELSEWHERE = {"FUNCTIONS_WORKER_RUNTIME", "AzureWebJobsStorage", "AzureWebJobs.<function>.Disabled"}
HOST = {each.name for each in (*surroundings.HOST, surroundings.INSIGHTS)} - BINDING - ELSEWHERE
MAY_BE = HOST | {each.name for each in surroundings.READ}
REFERENCE = "@Microsoft.KeyVault("
SAMPLES = {
    "ADF_FACTORIES": "/subscriptions/s/resourceGroups/g/providers/Microsoft.DataFactory/factories/f",
    "ADF_OPERATOR_CLIENT_ID": "00000000-0000-0000-0000-000000000000",
    "DIGEST_AT": "07:00",
    "DIGEST_TIMEZONE": "UTC",
}
ENVIRONMENT = re.compile(r"\$\{([A-Z_]+)(?:=([^}]*))?\}")
AZD = frozenset(
    {"AZURE_ENV_NAME", "AZURE_LOCATION", "AZURE_PRINCIPAL_ID", "AZURE_PRINCIPAL_TYPE", "AZURE_SUBSCRIPTION_ID"}
)


def known_settings() -> set[str]:
    """Every setting that the code reads by name: tests/core/test_configuration_page.py holds that these are all."""
    return {each.name for each in OURS}


def secret_settings() -> set[str]:
    return {each.name for each in OURS if each.secret}


def app_settings(templates: Templates, name: str) -> dict[str, tuple[Node, bool]]:
    """What one of the two apps is given: its value, and whether it is given always."""
    module = templates.main.of("module")[name]
    given = at(module.body, "params.settings")
    return dict(_keys(templates.main, given, always=True)) if given is not None else {}


def _keys(template: Template, node: Node, *, always: bool) -> Iterator[tuple[str, tuple[Node, bool]]]:
    variables = template.of("var")
    if node.type == "object":
        yield from ((key, (value, always)) for key, value in properties(node).items())
    elif node.type == "ternary_expression":
        for branch in node.named_children[1:]:
            yield from _keys(template, branch, always=False)
    elif node.type == "call_expression":
        for argument in node.named_children[1].named_children:
            yield from _keys(template, argument, always=always)
    elif node.type == "identifier" and text(node) in variables:
        value = variables[text(node)].value
        if value is not None:
            yield from _keys(template, value, always=always)


def settings(templates: Templates) -> Iterator[Finding]:
    main, known = templates.main, known_settings()
    for name, areas in APPS.items():
        given = app_settings(templates, name)
        for key, (value, _) in given.items():
            if key not in known | BINDING:
                yield main.finding(value, f"{name}: the code reads no setting {key!r}")
        for key in sorted(secret_settings() & set(given)):
            if not literal(given[key][0]).startswith(REFERENCE):
                yield main.finding(given[key][0], f"{name}: {key} is no reference to the vault")
        always = {key: SAMPLES.get(key, _sample(key)) for key, (_, sure) in given.items() if sure}
        loaded = Settings.load(always)
        for problem in loaded.problems:
            if problem.area in areas:
                yield _module_finding(main, name, f"{problem.setting}: {problem.text}")
        if not loaded.has_blobs:
            yield _module_finding(main, name, "STORAGE__blobServiceUri: nothing would be anchored")
        if not set(always) >= BINDING:
            yield _module_finding(main, name, "STORAGE: the host does not learn under which identity it reads queues")


def _sample(key: str) -> str:
    return "https://name.example" if key.endswith(("Uri", "URL", "ENDPOINT")) else "x" * 40


def host_settings(templates: Templates) -> Iterator[Finding]:
    template = templates.files["modules/functionApp.bicep"]
    found: set[str] = set()
    for name in ("hostSettings", "signInSettings"):
        variable = template.of("var").get(name)
        keys = dict(_keys(template, variable.value, always=True)) if variable and variable.value else {}
        found |= set(keys)
        for key, (value, _) in keys.items():
            if key not in MAY_BE:
                yield template.finding(value, f"the host knows no setting {key!r}")
    for key in sorted(HOST - found):
        yield template.finding(template.root, f"the host is not given {key!r}")


def _module_finding(main: Template, name: str, what: str) -> Finding:
    return main.finding(main.of("module")[name].node, f"{name}: {what}")


def identities(templates: Templates) -> Iterator[Finding]:
    """Each app has its own identity, its own storage of the host, and the other's functions switched off."""
    main = templates.main
    for name, other in (("app", "operator"), ("operator", "app")):
        module = main.of("module")[name]
        wanted = {
            "identityId": f"identities.outputs.{name}Id",
            "identityClientId": f"identities.outputs.{name}ClientId",
            "hostStorageName": f"{name}Storage.outputs.name",
            "packageUri": f"{name}Storage.outputs.packageUri",
            "disabledFunctions": f"functions.{other}",
        }
        for key, value in wanted.items():
            found = at(module.body, f"params.{key}")
            if found is None or text(found) != value:
                yield main.finding(module.node, f"{name} must have {key}: {value}")
        storage = main.of("module")[f"{name}Storage"]
        principal = at(storage.body, "params.principalId")
        if principal is None or text(principal) != f"identities.outputs.{name}PrincipalId":
            yield main.finding(storage.node, f"{storage.name} belongs to the identity of {name} alone")


def storage_names(templates: Templates) -> Iterator[Finding]:
    """Everything in storage.json is made, under rules of names that only Azure would tell otherwise."""
    template = templates.files["modules/dataStorage.bicep"]
    names = json.loads((templates.folder / "storage.json").read_text(encoding="utf-8"))
    used = {text(node) for node in walk(template.root) if node.type == "member_expression"}
    for key, value in names.items():
        words = [f"names.{key}.{inner}" for inner in value] if isinstance(value, dict) else [f"names.{key}"]
        for word in words:
            if word not in used:
                yield template.finding(template.root, f"{word} is made nowhere")
    queues = [name for key in ("toolInputs", "toolOutputs", "workQueues", "poisonQueues") for name in names[key]]
    for name in (*queues, *(names[f"{kind}Container"] for kind in ("audit", "deadLetter", "release"))):
        if not re.fullmatch(r"(?=.{3,63}$)[a-z0-9]+(-[a-z0-9]+)*", name):
            yield Finding("storage.json", 1, f"{name!r} is no name of a queue or container")
    for name in names["tables"]:
        if not re.fullmatch(r"[A-Za-z][A-Za-z0-9]{2,62}", name):
            yield Finding("storage.json", 1, f"{name!r} is no name of a table")


LENGTHS = {  # how long a name may be, and of which characters
    "Microsoft.Storage/storageAccounts": r"[a-z0-9]{3,24}",
    "Microsoft.KeyVault/vaults": r"[a-zA-Z](?!.*--)[a-zA-Z0-9-]{1,22}[a-zA-Z0-9]",
    "Microsoft.Web/sites": r"[a-zA-Z0-9][a-zA-Z0-9-]{0,58}[a-zA-Z0-9]",
    "Microsoft.Search/searchServices": r"[a-z0-9][a-z0-9-]{0,58}[a-z0-9]",
    "Microsoft.DocumentDB/databaseAccounts": r"[a-z0-9][a-z0-9-]{1,42}[a-z0-9]",
}


def resource_names(templates: Templates) -> Iterator[Finding]:
    """Names of a known pattern, with a token of 13 characters, as uniqueString() makes them."""
    for template in templates.files.values():
        for one in template.of("resource").values():
            pattern = LENGTHS.get(one.about.partition("@")[0])
            name = at(one.body, "name")
            if pattern is None or one.existing or name is None:
                continue
            for told in _spelled(templates, template, name):
                if not re.fullmatch(pattern, told):
                    yield template.finding(name, f"{told!r} is no name that Azure takes")


def _spelled(templates: Templates, template: Template, name: Node) -> set[str]:
    """What a name becomes: its own text, a variable's, or what each module that uses this file gives."""
    if name.type == "string":
        return {re.sub(r"\$\{token\}", "a" * 13, literal(name))}
    variable = template.of("var").get(text(name))
    if variable is not None and variable.value is not None:
        return _spelled(templates, template, variable.value)
    given = [
        (other, at(module.body, f"params.{text(name)}"))
        for other in templates.files.values()
        for module in other.of("module").values()
        if templates.target(other, module) is template
    ]
    return {told for other, node in given if node is not None for told in _spelled(templates, other, node)}


def parameters(templates: Templates) -> Iterator[Finding]:
    path = templates.folder / "main.parameters.json"
    try:
        given = json.loads(path.read_text(encoding="utf-8"))["parameters"]
    except (ValueError, KeyError) as exc:
        yield Finding(path.name, 1, f"is no file of parameters: {exc!r}")
        return
    wanted = templates.main.of("param")
    for name, one in given.items():
        if name not in wanted:
            yield Finding(path.name, 1, f"main.bicep has no parameter {name!r}")
        else:
            yield from _default(path.name, wanted[name], str(one["value"]))
    for name, parameter in wanted.items():
        if name not in given:
            yield templates.main.finding(parameter.node, f"{name!r} is missing in main.parameters.json")


def _default(file: str, wanted: Declared, value: str) -> Iterator[Finding]:
    """`${NAME=default}`: the default is the template's own, and one of those that it allows."""
    found = ENVIRONMENT.fullmatch(value)
    if found is None:
        yield Finding(file, 1, f"{wanted.name!r} comes from no variable of the environment: {value!r}")
        return
    own = literal(wanted.value) if wanted.value is not None else None
    if (found[2] or "") != (own or ""):
        yield Finding(file, 1, f"{wanted.name!r} is {found[2]!r} here and {own!r} in main.bicep")


def descriptions(templates: Templates) -> Iterator[Finding]:
    for parameter in templates.main.of("param").values():
        if not any(text(call).startswith("@description(") for call in parameter.decorators):
            yield templates.main.finding(parameter.node, f"{parameter.name!r} is described nowhere")


def azd(templates: Templates) -> Iterator[Finding]:
    """Services are found by their tags, hooks are there and use what main.bicep tells."""
    path = templates.folder.parent / "azure.yaml"
    content: Mapping[str, Any] = yaml.safe_load(path.read_text(encoding="utf-8"))
    tags = {literal(value) for value in _tags(templates.main)}
    if tags != set(content["services"]):
        yield Finding(path.name, 1, f"services {sorted(content['services'])}, but main.bicep tags {sorted(tags)}")
    asked = ENVIRONMENT.findall((templates.folder / "main.parameters.json").read_text(encoding="utf-8"))
    told = {*templates.main.of("output"), *AZD, *(name for name, _ in asked)}
    for hook in (one["run"] for one in content["hooks"].values()):
        script = templates.folder.parent / hook
        if not script.is_file():
            yield Finding(path.name, 1, f"there is no {hook}")
            continue
        for name in re.findall(r"\$\{?(?:env:)?([A-Z]+_[A-Z_]+)", script.read_text(encoding="utf-8")):
            if name not in told:
                yield Finding(hook, 1, f"{name} is no output of main.bicep, and no parameter comes from it")


def _tags(main: Template) -> Iterator[Node]:
    for node in walk(main.root):
        if node.type == "object_property" and literal(node.named_children[0]) == "azd-service-name":
            yield node.named_children[-1]


def vault_secrets(templates: Templates) -> Iterator[Finding]:
    """Secrets that the apps always ask for are made by the hooks: an app would take the reference for its value."""
    scripts = [path.read_text(encoding="utf-8") for path in sorted((templates.folder / "hooks").glob("secrets.*"))]
    for name in APPS:
        for key, (value, always) in app_settings(templates, name).items():
            found = re.search(r"SecretName=([a-z-]+)", literal(value))
            if found and always and not all(re.search(rf"['\s]{found[1]}\b", script) for script in scripts):
                yield templates.main.finding(value, f"{name}: {key} asks for {found[1]!r}, which no hook makes")


def json_files(templates: Templates) -> Iterator[Finding]:
    host = templates.folder.parent / "host.json"
    for path in (*sorted(templates.folder.glob("*.json")), host):
        try:
            json.loads(path.read_text(encoding="utf-8"))
        except ValueError as exc:
            yield Finding(path.name, 1, f"is no JSON: {exc}")
