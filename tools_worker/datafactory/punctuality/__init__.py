"""Did everything start, and end, in its time: due times missed, windows that wait, runs late, agreed times not kept."""

from tools_worker.datafactory.punctuality.checks import Answer, Checked, Late, check

__all__ = ["Answer", "Checked", "Late", "check"]
