"""The function app: blueprints put together. Importing it reads no setting and opens nothing."""

import azure.functions as func

from orchestrator.actions.triggers import bp as actions
from orchestrator.audit.triggers import bp as audit
from orchestrator.healing.triggers import bp as healing
from orchestrator.incidents.triggers import bp as incidents
from orchestrator.triggers import bp as orchestrator
from tools_worker.runtime.triggers import bp as tools

app = func.FunctionApp(http_auth_level=func.AuthLevel.FUNCTION)
app.register_functions(orchestrator)
app.register_functions(audit)
app.register_functions(incidents)
app.register_functions(actions)
app.register_functions(healing)
app.register_functions(tools)
