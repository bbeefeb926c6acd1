"""Storage: queues, tables, containers, the audit trail."""

from __future__ import annotations

from localcloud.adf.surroundings import QUEUE_CONTRIBUTOR
from orchestrator.doctor.checks.roles import PROCESSOR, SENDER
from tests.orchestrator.doctor.breakages.breaking import (
    CALL,
    OWN,
    PLAIN,
    REPLY,
    Breakage,
    answering,
    cut_off,
    dropping,
    edited,
    message,
    no_container,
    refusing,
    trail_thrown_away,
    without_queue,
)
from tests.orchestrator.doctor.world import (
    World,
)

STORAGE_BREAKAGES = (
    Breakage(
        "a tool's queue is deleted",
        "queues_there",
        "failed",
        CALL,
        without_queue(CALL),
        "--make-storage",
        mends=World.storage_whole,
    ),
    Breakage(
        "a reply queue is deleted",
        "queues_there",
        "failed",
        REPLY,
        without_queue(REPLY),
        "--make-storage",
        mends=World.storage_whole,
    ),
    Breakage(
        "the queue of runs is deleted",
        "queues_there",
        "failed",
        OWN,
        without_queue(OWN),
        "--make-storage",
        mends=World.storage_whole,
    ),
    Breakage(
        "looking at a queue is refused",
        "queues_there",
        "warning",
        OWN,
        refusing(rf"GET /[^/]+/{OWN}\?comp=metadata"),
        QUEUE_CONTRIBUTOR,
    ),
    Breakage(
        "taking fails otherwise",
        "queues_taken",
        "failed",
        "HTTP 409",
        answering(rf"DELETE /[^/]+/{OWN}/messages/", 409),
    ),
    Breakage(
        "looking into a queue is refused",
        "queues_served",
        "skipped",
        CALL,
        refusing(rf"GET /[^/]+/{CALL}/messages"),
        QUEUE_CONTRIBUTOR,
    ),
    Breakage("peeking is refused", "queues_taken", "failed", CALL, refusing(f"GET /[^/]+/{CALL}/messages"), PROCESSOR),
    Breakage("taking is refused", "queues_taken", "failed", OWN, refusing(f"DELETE /[^/]+/{OWN}/messages/"), PROCESSOR),
    Breakage("sending is refused", "queues_sent", "failed", REPLY, refusing(f"POST /[^/]+/{REPLY}/messages"), SENDER),
    Breakage("sending cannot be tried", "queues_sent", "skipped", REPLY, refusing(f"DELETE /[^/]+/{REPLY}/"), SENDER),
    Breakage(
        "nobody takes a call",
        "queues_served",
        "failed",
        rf"message lies in {CALL}",
        message(CALL, PLAIN),
        "queues_taken",
        unserved_seconds=0.3,
        mends=World.storage_whole,
    ),
    Breakage(
        "nobody takes a reply",
        "queues_served",
        "failed",
        rf"reply lies in {REPLY}",
        message(REPLY, PLAIN),
        "Contributor",
        unserved_seconds=0.3,
        mends=World.storage_whole,
    ),
    Breakage(
        "a call is no base64",
        "queues_served",
        "failed",
        f"{CALL} is not base64",
        message(CALL, '{"a": 1}'),
        "Base64",
        mends=World.storage_whole,
    ),
    Breakage(
        "queue storage is gone",
        "queues_there",
        "failed",
        "could not be looked at",
        dropping("queue|messages|comp=metadata"),
    ),
    Breakage(
        "a table is deleted",
        "tables",
        "warning",
        "'runs'",
        lambda w: w.tables.delete_table("runs"),
        "--make-storage",
        mends=World.storage_whole,
    ),
    Breakage(
        "reading a table is refused", "tables", "failed", "'incidents'", refusing(r"GET /[^/]+/incidents\("), "Table"
    ),
    Breakage(
        "writing a table is refused", "tables", "failed", "'actions'", refusing(r"DELETE /[^/]+/actions\("), "Table"
    ),
    Breakage(
        "the container is deleted",
        "blobs",
        "warning",
        "'audit'",
        no_container,
        "--make-storage",
        mends=World.storage_whole,
    ),
    Breakage(
        "listing blobs is refused", "blobs", "failed", "'audit'", refusing(r"GET /[^/]+/audit\?.*comp=list"), "Blob"
    ),
    Breakage("writing blobs is refused", "blobs", "failed", "'audit'", refusing(r"PUT /[^/]+/audit/"), "Blob"),
    Breakage(
        "a line of the trail is edited",
        "audit_anchors",
        "failed",
        "edited",
        edited,
        "verify",
        mends=trail_thrown_away,
    ),
    Breakage(
        "the end of a chain is cut off",
        "audit_anchors",
        "failed",
        "cut_tail",
        cut_off,
        "verify",
        mends=trail_thrown_away,
    ),
    Breakage(
        "the trail cannot be read", "audit_anchors", "warning", "refused", refusing(r"GET /[^/]+/audit\(\)"), "tables"
    ),
)
