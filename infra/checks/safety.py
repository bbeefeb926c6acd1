"""What every resource must say: no keys, TLS 1.2, nothing public, a version of its API; secrets by reference only."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from tree_sitter import Node

from infra.checks.tree import (
    Declared,
    Finding,
    Template,
    Templates,
    at,
    literal,
    properties,
    text,
    type_and_version,
    walk,
)

# For each type what has to stand where. A text stands with its quotes, as in the template.
DEMANDED: Mapping[str, Mapping[str, str]] = {
    "Microsoft.Storage/storageAccounts": {
        "properties.allowBlobPublicAccess": "false",
        "properties.allowSharedKeyAccess": "false",
        "properties.minimumTlsVersion": "'TLS1_2'",
        "properties.supportsHttpsTrafficOnly": "true",
    },
    "Microsoft.Storage/storageAccounts/blobServices/containers": {"properties.publicAccess": "'None'"},
    "Microsoft.DocumentDB/databaseAccounts": {
        "properties.disableLocalAuth": "true",
        "properties.minimalTlsVersion": "'Tls12'",
    },
    "Microsoft.Search/searchServices": {"properties.disableLocalAuth": "true"},
    "Microsoft.CognitiveServices/accounts": {"properties.disableLocalAuth": "true"},
    "Microsoft.CognitiveServices/accounts/projects/connections": {"properties.authType": "'AAD'"},
    "Microsoft.Insights/components": {"properties.DisableLocalAuth": "true"},
    "Microsoft.OperationalInsights/workspaces": {"properties.features.disableLocalAuth": "true"},
    "Microsoft.EventGrid/topics": {
        "properties.disableLocalAuth": "true",
        "properties.minimumTlsVersionAllowed": "'1.2'",
    },
    "Microsoft.KeyVault/vaults": {
        "properties.enableRbacAuthorization": "true",
        "properties.enablePurgeProtection": "true",
        "properties.enableSoftDelete": "true",
    },
    "Microsoft.Web/sites": {
        "properties.httpsOnly": "true",
        "properties.siteConfig.ftpsState": "'Disabled'",
        "properties.siteConfig.minTlsVersion": "'1.2'",
        "properties.siteConfig.scmMinTlsVersion": "'1.2'",
    },
    "Microsoft.Web/sites/basicPublishingCredentialsPolicies": {"properties.allow": "false"},
}
RECEIVER = {"useAadAuth": "true", "useCommonAlertSchema": "true"}
# What has to come along with another: type, the type of the child that names it as its parent.
COMPANIONS = (
    ("Microsoft.Web/sites", "Microsoft.Web/sites/basicPublishingCredentialsPolicies"),
    ("Microsoft.Storage/storageAccounts/blobServices", "Microsoft.Storage/storageAccounts/blobServices/containers"),
)
VERSION = re.compile(r"\d{4}-\d{2}-\d{2}(-preview)?")
KEYS = re.compile(r"\blist(Keys|AccountSas|ServiceSas|Secrets|AdminKeys)\b|AccountKey=|SharedAccess|sig=")
SECRETIVE = re.compile(r"secret|password|connection_?string|(?<!public)key(?!_vault)", re.IGNORECASE)


def demands(templates: Templates) -> Iterator[Finding]:
    for template in templates.files.values():
        for one in template.of("resource").values():
            wanted = {} if one.existing else DEMANDED.get(type_and_version(one.about)[0], {})
            for path, value in wanted.items():
                found = at(one.body, path)
                if found is None or text(found) != value:
                    yield template.finding(one.node, f"{one.name!r} must have {path}: {value}")


def versions(templates: Templates) -> Iterator[Finding]:
    """Each type has a version, and the same one everywhere: two would differ in what they accept."""
    first: dict[str, str] = {}
    for template in templates.files.values():
        for one in template.of("resource").values():
            kind, version = type_and_version(one.about)
            if not VERSION.fullmatch(version):
                yield template.finding(one.node, f"{kind} has no version of its API")
            elif first.setdefault(kind, version) != version:
                yield template.finding(one.node, f"{kind}: {version} here, {first[kind]} elsewhere")


def keys(templates: Templates) -> Iterator[Finding]:
    for template in templates.files.values():
        for node in walk(template.root):
            if node.type in ("identifier", "property_identifier", "string_content") and KEYS.search(text(node)):
                yield template.finding(node, f"{text(node)[:40]!r}: keys are not used here")


def secrets(templates: Templates) -> Iterator[Finding]:
    """No secret comes into a template, and none leaves it by an output: a deployment's record keeps both."""
    for template in templates.files.values():
        for one in template.declared:
            allowed = one.name == "connectionString" and template.name == "modules/monitoring.bicep"  # an address
            if one.kind == "output" and SECRETIVE.search(one.name) and not allowed:
                yield template.finding(one.node, f"output {one.name!r} would be kept with the deployment")
            if one.kind == "param" and any("secure" in text(each) for each in one.decorators):
                yield template.finding(one.node, f"{one.name!r}: secrets go into the vault by infra/hooks")


def receivers(templates: Templates) -> Iterator[Finding]:
    """An action group calls the app with a token, and has no function key in its address."""
    for template, group in _resources(templates, "Microsoft.Insights/actionGroups"):
        listed = at(group.body, "properties.webhookReceivers")
        for receiver in listed.named_children if listed is not None else []:
            given = properties(receiver)
            for key, value in RECEIVER.items():
                if key not in given or text(given[key]) != value:
                    yield template.finding(receiver, f"the receiver must have {key}: {value}")
            if "code=" in literal(given.get("serviceUri", receiver)):
                yield template.finding(receiver, "the receiver's address holds a key")
        mails = at(group.body, "properties.emailReceivers")
        for receiver in [each for each in walk(mails) if each.type == "object"] if mails is not None else []:
            if text(properties(receiver).get("useCommonAlertSchema", receiver)) != "true":
                yield template.finding(receiver, "the receiver must have useCommonAlertSchema: true")


def immutability(templates: Templates) -> Iterator[Finding]:
    policies = [
        one
        for _, one in _resources(
            templates, "Microsoft.Storage/storageAccounts/blobServices/containers/immutabilityPolicies"
        )
    ]
    append = [at(one.body, "properties.allowProtectedAppendWrites") for one in policies]
    if not policies or any(value is None or text(value) != "true" for value in append):
        yield Finding(
            "modules/dataStorage.bicep",
            1,
            "the audit container has no policy of immutability that lets it grow",
        )


def dead_letters(templates: Templates) -> Iterator[Finding]:
    for template in templates.files.values():
        for one in template.of("resource").values():
            if (
                "/eventSubscriptions@" in one.about
                and at(one.body, "properties.deadLetterWithResourceIdentity") is None
            ):
                yield template.finding(one.node, f"{one.name!r} loses what cannot be delivered")


def companions(templates: Templates) -> Iterator[Finding]:
    for parent, child in COMPANIONS:
        for template, one in _resources(templates, parent):
            named = [at(other.body, "parent") for other in _of_type(template, child)]
            if not any(node is not None and text(node) == one.name for node in named):
                yield template.finding(one.node, f"{one.name!r} comes without {child}")


def _resources(templates: Templates, kind: str) -> Iterator[tuple[Template, Declared]]:
    for template in templates.files.values():
        for one in _of_type(template, kind):
            if not one.existing:
                yield template, one


def _of_type(template: Template, kind: str) -> list[Declared]:
    return [one for one in template.of("resource").values() if type_and_version(one.about)[0] == kind]


def parents(templates: Templates) -> Iterator[Finding]:
    """A resource below another names it as its parent, of the right type."""
    for template in templates.files.values():
        known = template.of("resource")
        for one in known.values():
            above = type_and_version(one.about)[0].rpartition("/")[0]
            if above.count("/") >= 1 and not _is_below(one, above, known):
                yield template.finding(one.node, f"{one.name!r} needs a parent of type {above}")


def _is_below(one: Declared, above: str, known: Mapping[str, Declared]) -> bool:
    parent: Node | None = at(one.body, "parent")
    name = "" if parent is None else text(parent).partition("[")[0]
    return name in known and type_and_version(known[name].about)[0] == above
