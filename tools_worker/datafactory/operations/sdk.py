"""The write path to Data Factory: azure-mgmt-datafactory's client without any of its policies that send again.

It has a connection of its own for each request, no cache, no breaker, and may have an identity of its own. Left out of
the client's pipeline are its retries, redirects, sign-in challenges and the registration of resource providers: each
of them would send a request a second time.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlencode

from core import clients
from core.errors import AppError
from core.settings import AZURE_MANAGEMENT, Settings
from tools_worker.datafactory import fields
from tools_worker.datafactory.arm import API_VERSION, checked_endpoint
from tools_worker.datafactory.models import FactoryId
from tools_worker.datafactory.operations.sending import Again, NotSent, OutcomeUnknown, Switch
from tools_worker.datafactory.refusals import Answer, refusal, refused_credential
from tools_worker.datafactory.tracing import asking

if TYPE_CHECKING:
    from azure.core.credentials_async import AsyncTokenCredential
    from azure.core.rest import HttpRequest

SCOPE = f"{AZURE_MANAGEMENT}/.default"
CONNECT_SECONDS = 5.0
_MAYBE_DONE = frozenset({408})  # of the refusals: the service gave up waiting, which does not say for what
_LOOK = "Look up what became of it; it is not sent again."


class SdkOperations:
    """`seconds`: for one request, with signing in."""

    def __init__(
        self, credential: AsyncTokenCredential, *, endpoint: str = AZURE_MANAGEMENT, seconds: float = 30.0
    ) -> None:
        self._credential = credential
        self._endpoint = checked_endpoint(endpoint)
        self._seconds = seconds

    async def create_run(
        self, factory: FactoryId, pipeline: str, parameters: Mapping[str, Any], again: Again | None = None
    ) -> str:
        path = f"{factory.path}/pipelines/{quote(pipeline, safe='')}/createRun"
        answered = await self._send(factory, path, parameters, _rerun_query(again) if again else {})
        run_id = fields.name(answered.body, "runId")
        if not run_id:
            raise OutcomeUnknown("Data Factory accepted the run and did not tell its id.", hint=_LOOK)
        return run_id

    async def cancel_run(self, factory: FactoryId, run_id: str, *, recursive: bool) -> None:
        path = f"{factory.path}/pipelineruns/{quote(run_id, safe='')}/cancel"
        await self._send(factory, path, None, {"isRecursive": _flag(recursive)})

    async def switch_trigger(self, factory: FactoryId, trigger: str, way: Switch) -> None:
        await self._send(factory, f"{factory.path}/triggers/{quote(trigger, safe='')}/{way}", None, {})

    async def rerun_window(self, factory: FactoryId, trigger: str, trigger_run_id: str) -> None:
        run = quote(trigger_run_id, safe="")
        await self._send(
            factory, f"{factory.path}/triggers/{quote(trigger, safe='')}/triggerRuns/{run}/rerun", None, {}
        )

    async def _send(
        self, factory: FactoryId, path: str, body: Mapping[str, Any] | None, query: Mapping[str, str]
    ) -> Answer:
        from azure.core.rest import HttpRequest

        headers = {"Authorization": f"Bearer {await self._token()}"}
        url = f"{self._endpoint}{path}?{urlencode({**query, 'api-version': API_VERSION})}"
        request = HttpRequest("POST", url, headers=headers, json=None if body is None else dict(body))
        with asking("POST", path, self._endpoint) as asked:
            answered = await self._once(factory, request)
            asked.answered(answered.status)
        if 200 <= answered.status < 300:
            return answered
        if 400 <= answered.status < 500 and answered.status not in _MAYBE_DONE:
            raise _refused(answered)
        raise OutcomeUnknown(f"Data Factory answered {answered.status}, which does not tell what it did.", hint=_LOOK)

    async def _token(self) -> str:
        """Before anything is sent: whatever fails here, nothing was done."""
        from azure.core.exceptions import AzureError

        try:
            async with asyncio.timeout(self._seconds):
                return str((await self._credential.get_token(SCOPE)).token)
        except (AzureError, TimeoutError) as exc:
            raise NotSent(refused_credential(exc).message, hint="Check the identity that acts.") from exc

    async def _once(self, factory: FactoryId, request: HttpRequest) -> Answer:
        from azure.core.exceptions import AzureError

        try:
            async with asyncio.timeout(self._seconds), self._client(factory) as client:
                response = await client.send_request(
                    request, stream=True, connection_timeout=CONNECT_SECONDS, read_timeout=self._seconds
                )
                async with response:
                    return Answer(response.status_code, await _body(response))
        except TimeoutError as exc:
            told = f"Data Factory did not answer within {self._seconds:.0f} seconds."
            raise OutcomeUnknown(told, hint=_LOOK) from exc
        except AzureError as exc:
            if _never_connected(exc):
                raise NotSent(f"Data Factory cannot be reached at {self._endpoint}.", hint="Try again later.") from exc
            raise OutcomeUnknown("The connection to Data Factory broke before it answered.", hint=_LOOK) from exc

    @asynccontextmanager
    async def _client(self, factory: FactoryId) -> AsyncIterator[Any]:
        """A connection that was kept open may be closed by the service at the very moment of sending, and then nobody
        knows; a new one cannot."""
        from azure.core.pipeline.policies import RequestIdPolicy
        from azure.mgmt.datafactory.aio import DataFactoryManagementClient

        client = DataFactoryManagementClient(
            self._credential,
            factory.subscription,
            base_url=self._endpoint,
            transport=clients.transport(),
            policies=[RequestIdPolicy()],
        )
        try:
            yield client
        finally:
            await client.close()


def open_operations(settings: Settings) -> SdkOperations:
    """As the identity that may change factories. Opens nothing yet; use it on one event loop."""
    credential = clients.operator_credential(settings)
    return SdkOperations(credential, endpoint=settings.adf_endpoint, seconds=settings.adf_timeout_seconds)


async def _body(response: Any) -> object:
    """None where there is none, or where it was cut off: the status has told by then."""
    from azure.core.exceptions import AzureError

    try:
        return json.loads(await response.read())
    except (ValueError, RecursionError, AzureError):
        return None


def _rerun_query(again: Again) -> dict[str, str]:
    query = {"referencePipelineRunId": again.run_id, "isRecovery": _flag(True)}
    if again.activity:
        return query | {"startActivityName": again.activity}
    return query | {"startFromFailure": _flag(True)} if again.from_failure else query


def _flag(value: bool) -> str:
    return "true" if value else "false"


def _never_connected(error: BaseException) -> bool:
    """azure-core calls every trouble of the client a request error, a lost answer too: the cause below tells."""
    from aiohttp.client_exceptions import ClientConnectorError, ConnectionTimeoutError, InvalidURL

    cause = error.__cause__
    return isinstance(cause, ClientConnectorError | ConnectionTimeoutError | InvalidURL)


def _refused(answered: Answer) -> NotSent:
    said: AppError = refusal(answered)
    if answered.status == 403:
        return NotSent(said.message, hint="Give the identity that acts the Data Factory Contributor role there.")
    return NotSent(said.message, hint=said.hint)
