"""Every name that telemetry carries: spans, attributes, metrics, what their values may be. None is written elsewhere.

`gen_ai.*` is from OpenTelemetry's conventions for generative AI, which are still in development and live in a
repository of their own (semantic-conventions-genai): the SDK's constants are marked as moved, so these are ours, to
change in one place. `messaging.*`, `http.*`, `server.*` and `error.type` are from the general conventions, `adf_ops.*`
is our own. docs/telemetry.md lists them all, and a test compares.
"""

from __future__ import annotations

SCOPE = "adf_ops"  # the instrumentation scope: who measured

# --- Spans. Where a name holds another one, the part that varies is one of few: a queue, a tool, an agent.


def request(method: str, route: str) -> str:
    """SERVER, or INTERNAL under a host that has a span for the request itself."""
    return f"{method} {route}"


def sending(queue: str) -> str:
    """PRODUCER: a message of our own."""
    return f"send {queue}"


def processing(queue: str) -> str:
    """CONSUMER: a message that a function works on."""
    return f"process {queue}"


def executing(tool: str) -> str:
    """INTERNAL: in the orchestrator from the call being seen to its end, in the tool worker the work itself."""
    return f"execute_tool {tool}"


def invoking(agent: str) -> str:
    """CLIENT."""
    return f"invoke_agent {agent}"


def creating(agent: str) -> str:
    """CLIENT."""
    return f"create_agent {agent}"


def asking(method: str, operation: str) -> str:
    """CLIENT: one request to Data Factory, or an answer of it that was used again."""
    return f"{method} {operation}"


WORKFLOW = "invoke_workflow question"  # INTERNAL: one attempt at one question
ALERTS = "take_alerts"  # INTERNAL
LOOK = "look_at_factory"  # INTERNAL
EXPLAIN = "explain_incident"  # INTERNAL: diagnosed, and told
CHECKS = "check_factory"  # INTERNAL: the watcher's own checks
ACT = "execute_action"  # INTERNAL: one step of an action
REPAIR = "advance_repair"  # INTERNAL: one step of a playbook
DIGEST = "send_digest"  # INTERNAL

# --- Attributes

OPERATION = "gen_ai.operation.name"
PROVIDER = "gen_ai.provider.name"
SYSTEM = "gen_ai.system"  # the older name of the same: Azure Monitor's exporter reads a dependency's type off it
WORKFLOW_NAME = "gen_ai.workflow.name"
AGENT_NAME = "gen_ai.agent.name"
AGENT_ID = "gen_ai.agent.id"
CONVERSATION = "gen_ai.conversation.id"
REQUEST_MODEL = "gen_ai.request.model"
TOOL_NAME = "gen_ai.tool.name"
TOOL_TYPE = "gen_ai.tool.type"
TOOL_CALL = "gen_ai.tool.call.id"
INPUT_TOKENS = "gen_ai.usage.input_tokens"
OUTPUT_TOKENS = "gen_ai.usage.output_tokens"
TOKEN_TYPE = "gen_ai.token.type"  # noqa: S105 - tokens of a model

ERROR = "error.type"  # the code of core.errors, else the exception's class
ERROR_TOLD = (
    "adf_ops.error"  # the same: of spans Azure Monitor's exporter keeps no attribute of the general conventions
)
METHOD = "http.request.method"
ROUTE = "http.route"
STATUS = "http.response.status_code"
ADDRESS = "url.full"  # of Data Factory: the endpoint and the operation, without what it was about
MESSAGING = "messaging.system"
QUEUE = "messaging.destination.name"
MESSAGE = "messaging.message.id"
MESSAGING_OPERATION = "messaging.operation.type"

RUN = "adf_ops.run.id"
ATTEMPT = "adf_ops.attempt"  # of a run; of a delivery
OUTCOME = "adf_ops.outcome"
FACTORY = "adf_ops.factory"
INCIDENT = "adf_ops.incident.id"
INCIDENT_KIND = "adf_ops.incident.kind"
INCIDENT_EVENT = "adf_ops.incident.event"  # opened, resolved, escalated
CATEGORY = "adf_ops.incident.category"  # of the diagnosis; "unknown" without one
ACTION = "adf_ops.action.id"
ACTION_KIND = "adf_ops.action.kind"
ACTION_STATE = "adf_ops.action.state"
CORRELATION = "adf_ops.correlation"  # the agent service's own id of a tool call, shortened by a hash where it is long
DATA_FACTORY_OPERATION = "adf_ops.data_factory.operation"
REUSED = "adf_ops.data_factory.reused"  # answered from memory, or by a request that was under way
THROTTLED = "adf_ops.data_factory.throttled"
LIMIT = "adf_ops.policy.limit"  # per_hour, per_pipeline_per_hour, per_incident
EFFECT = "adf_ops.policy.effect"  # allow, ask, deny
COUNT = "adf_ops.count"

# --- Values

AZURE_QUEUES = "azure_queue_storage"
AGENT_SERVICE = "azure.ai.openai"  # the provider of its models, as the conventions list it
INVOKE_WORKFLOW, INVOKE_AGENT, EXECUTE_TOOL, CREATE_AGENT = (
    "invoke_workflow",
    "invoke_agent",
    "execute_tool",
    "create_agent",
)
TOOL_TYPES = {"queue": "function", "function": "function", "mcp": "extension"}  # of a call's kind
INPUT, OUTPUT = "input", "output"

# --- Metrics: name, unit, what it counts. No attribute of a metric holds an id or a name of somebody's pipeline.

QUESTION_SECONDS = "adf_ops.question.duration"
DEADLINE_USED = "adf_ops.question.deadline_used"
TOKENS = "gen_ai.client.token.usage"
AGENT_SECONDS = "gen_ai.client.operation.duration"
TOOL_SECONDS = "adf_ops.tool.duration"
DATA_FACTORY_SECONDS = "adf_ops.data_factory.duration"
DATA_FACTORY_REUSED = "adf_ops.data_factory.reused_answers"
QUEUE_AGE = "adf_ops.queue.age"
POISONED = "adf_ops.queue.poisoned"
ALERTS_TAKEN = "adf_ops.alerts"
INCIDENTS = "adf_ops.incidents"
ACTIONS = "adf_ops.actions"
LIMIT_USED = "adf_ops.policy.limit_used"

HISTOGRAMS = {
    QUESTION_SECONDS: ("s", "From a question being taken in to its end, by outcome."),
    DEADLINE_USED: ("1", "Share of its deadline that a question used up, by outcome."),
    TOKENS: ("{token}", "Tokens of a question, by model and by type (input, output)."),
    AGENT_SECONDS: ("s", "How long the agent service took, by operation, agent and error."),
    TOOL_SECONDS: ("s", "How long a tool worked, by tool and outcome."),
    DATA_FACTORY_SECONDS: ("s", "Requests to Data Factory, by operation and status; 429 is throttling."),
    QUEUE_AGE: ("s", "From a message being due to being worked on, by queue."),
    LIMIT_USED: ("1", "Share of a limit of the policy that was used up at a verdict, by limit and effect."),
}
COUNTERS = {
    DATA_FACTORY_REUSED: ("{answer}", "Answers of Data Factory that were used again, by operation."),
    POISONED: ("{message}", "Messages that the host gave up on, by queue."),
    ALERTS_TAKEN: ("{alert}", "Alerts taken in, by outcome: new, known."),
    INCIDENTS: ("{incident}", "Incidents opened, resolved and escalated, by kind and category."),
    ACTIONS: ("{action}", "Actions that came to an end, by kind and end."),
}
