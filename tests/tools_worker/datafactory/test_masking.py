from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tools_worker.datafactory.masking import mask, mask_value

JWT = "eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.c2lnbmF0dXJlLXNpZ25hdHVyZQ"
KEY = "A1b2C3d4" * 10 + "A1b2C3" + "=="


@pytest.mark.parametrize(
    ("text", "secret", "kind"),
    [
        ("https://a.blob.core.windows.net/c/f?sv=2023&sig=9cXkQ2dFZm8vTn1%2BxWv%3D&se=x", "9cXkQ2dFZm8vTn1", "SAS"),
        (f"AccountName=acct;AccountKey={KEY};EndpointSuffix=core", "A1b2C3d4", "account key"),
        (
            "Endpoint=sb://x;SharedAccessKeyName=Root;SharedAccessKey=q1W2e3R4t5Y6=;Entity=q",
            "q1W2e3R4",
            "shared access",
        ),
        ("Server=tcp:s;User ID=u;Password=Wint3r-is-c0ming!;Encrypt=True", "Wint3r", "password"),
        ("Server=s;Pwd=my pass, word;Database=d", "my pass", "password"),
        ("User Id=u;PASSWORD = 'a b;c';", "a b;c", "password"),
        ('{"userName": "u", "password": "p@ss w0rd"}', "p@ss w0rd", "password"),
        (r"{\"password\":\"p4ssw0rd\"}", "p4ssw0rd", "password"),
        ("login with password: hunter2 failed", "hunter2", "password"),
        ("client_secret=AbC123xyz&grant_type=client_credentials", "AbC123xyz", "client secret"),
        ('"servicePrincipalKey": "S3cr3tValue"', "S3cr3tValue", "client secret"),
        ("secret abc8Q~" + "aB3_" * 8 + " end", "abc8Q~", "client secret"),
        (f"Authorization: Bearer {JWT}", "eyJhbGci", "token"),
        ("authorization: bearer abcdef0123456789abcdef", "abcdef0123456789", "token"),
        ("Authorization: Basic dXNlcjpwYXNzd29yZA==", "dXNlcjpw", "credentials"),
        (f"token was {JWT}.", "c2lnbmF0dXJl", "token"),
        ("sftp://loader:s3cret@files.example/in", "s3cret", "credentials"),
        ("https://user:p@ss@host.example/path", "p@ss", "credentials"),
        ("https://f.azurewebsites.net/api/run?code=AbCdEfGhIjKlMnOpQrStUvWxYz0123==", "AbCdEfGh", "key"),
        ("Ocp-Apim-Subscription-Key: 0123456789abcdef0123456789abcdef", "0123456789abcdef", "key"),
        ("api_key=ZXCV1234", "ZXCV1234", "key"),
        ("refresh_token=0.AAAA-bbbb_CCCC", "AAAA-bbbb", "token"),
        ("dapi0123456789abcdef0123456789abcdef", "dapi0123", "token"),
        ("AKIAIOSFODNN7EXAMPLE", "AKIAIOSF", "access key"),
        (f"key {KEY} leaked", "A1b2C3d4", "account key"),
        ("IR@0ab1c2d3-0000-4000-8000-000000000001@adf-prod@abcDEF0123456789=", "abcDEF", "integration runtime"),
        ("-----BEGIN RSA PRIVATE KEY-----\nMIIEabc\n-----END RSA PRIVATE KEY-----", "MIIEabc", "private key"),
        ("-----BEGIN PRIVATE KEY-----\nMIIEabc cut", "MIIEabc", "private key"),
        ("mailto maria.lopez+adf@contoso.co.uk now", "maria.lopez", "e-mail"),
        ("https://graph.microsoft.com/v1.0/users/john@contoso.com/drive", "john@", "e-mail"),
        ("Offending value: 12 Main Street (Column 4", "Main Street", "value"),
        ("The duplicate key value is (4711, Smith).", "Smith", "value"),
        ("Exception occurred when converting value 'O'Brien' for column name 'c' from", "Brien", "value"),
        ("table 'dwh.stg.C', column 'City'. Truncated value: 'Springfield'.", "Springfield", "value"),
        ("Conversion failed when converting the varchar value '12x' to data type int.", "12x", "value"),
        ("ERROR [22007] Timestamp '14/01/1980' is not recognized", "14/01/1980", "value"),
        ("Numeric value 'Mr Smith' is not recognized", "Smith", "value"),
        ("Column a contains an invalid value 'Mr Smith'. Cannot convert 'Mr Smith' to type 'Int32'.", "Smith", "value"),
        ("Duplicate entry 'smith-1' for key 'PRIMARY'", "smith", "value"),
        ("Incorrect date value: '1980-13-01' for column 'born' at row 1", "1980", "value"),
        ('invalid input syntax for type integer: "Smith"', "Smith", "value"),
        ('java.lang.NumberFormatException: For input string: "Smith"', "Smith", "value"),
        ("Key (email, id)=(smith, 4) already exists.", "smith", "value"),
        ("Failing row contains (1, Smith, null).", "Smith", "value"),
        ('E11000 duplicate key error collection: d.c index: _id_ dup key: { : "Smith" }', "Smith", "value"),
    ],
)
def test_takes_out(text: str, secret: str, kind: str) -> None:
    masked = mask(text)
    assert secret not in masked
    assert kind in masked


@pytest.mark.parametrize(
    "text",
    [
        "Login failed for user 'svc_adf_sales'. Reason: wrong password: please check it.",
        "Run a3836c64-7985-497a-af31-790aa6110908 failed with ErrorCode=SqlFailedToConnect, SqlErrorNumber=18487.",
        "The secret expired. secretName: SQL-USER, secretVersion: , vaultBaseUrl: https://kv.vault.azure.net/",
        "Violation of PRIMARY KEY constraint 'PK_Fact'.",
        "abfss://raw@stdata.dfs.core.windows.net/in/file.parquet",
        "wasbs://in@stdata.blob.core.windows.net/x and raw@stdata.dfs.core.windows.net",
        "ADLS Gen2 operation failed. Account: 'stdata'. FileSystem: 'staging'. Path: 'a/b.csv'.",
        "token-identified principal; bearer of bad news; Basic understanding",
        "Exception occurred when converting value '' for column name 'EndDate' from type 'String' to type 'DateTime'",
        "Input string was not recognized as a valid Boolean. Cannot convert type 'String' to type 'Int32'",
        "DelimitedTextMoreColumnsThanDefined at 2026-03-01T01:02:03.1234567Z, row 118",
        "@pipeline().parameters.month and @{activity('Lookup').output.firstRow.value}",
        "",
    ],
)
def test_leaves_ordinary_text_alone(text: str) -> None:
    assert mask(text) == text


def test_masking_twice_changes_nothing() -> None:
    once = mask(f"password=abc1;sig=q1w2e3;AccountKey={KEY};mail a@b.example;Offending value: x (;pwd: 'y z'")
    assert mask(once) == once


PIECES = [
    "password",
    "=",
    ":",
    " ",
    "'",
    '"',
    ";",
    "sig=",
    "[masked x]",
    "abc1",
    "a@b.cd",
    "://",
    "Offending value",
    "converting value '",
    "' for column",
    "Key (a)=(",
    ") already exists",
    "(",
    "\n",
]


@settings(max_examples=300, deadline=None)
@given(st.lists(st.sampled_from(PIECES), max_size=12).map("".join))
def test_masking_any_text_twice_changes_nothing(text: str) -> None:
    assert mask(mask(text)) == mask(text)


def test_keeps_what_stands_around_a_secret() -> None:
    assert mask("Server=s;Password=x1;Database=d") == "Server=s;Password=[masked password];Database=d"


def test_masks_every_text_of_a_json_value() -> None:
    value = {"a": ["sig=q1w2e3r4", {"b": "pwd=xyz1"}], "n": 3, "ok": True, "none": None}
    masked = {"a": ["sig=[masked SAS signature]", {"b": "pwd=[masked password]"}], "n": 3, "ok": True, "none": None}
    assert mask_value(value) == masked


def test_masks_a_field_whose_name_says_that_it_is_secret() -> None:
    assert mask_value({"clientSecret": "plain words"}) == {"clientSecret": "[masked clientSecret]"}


def test_keeps_the_name_of_a_secret_in_a_vault() -> None:
    assert mask_value({"secretName": "sql-user"}) == {"secretName": "sql-user"}
