"""The answer of a queue read without the client library."""

from __future__ import annotations

from datetime import UTC, datetime

from localcloud.receiving import messages_in

EMPTY = b'<?xml version="1.0" encoding="UTF-8" standalone="yes"?><QueueMessagesList/>'
ONE = b"""<?xml version="1.0" encoding="UTF-8" standalone="yes"?><QueueMessagesList><QueueMessage>
<MessageId>m1</MessageId><InsertionTime>Sat, 21 Nov 2026 10:00:00 GMT</InsertionTime>
<ExpirationTime>Sat, 28 Nov 2026 10:00:00 GMT</ExpirationTime><DequeueCount>2</DequeueCount>
<PopReceipt>r+1=</PopReceipt><TimeNextVisible>Sat, 21 Nov 2026 10:10:00 GMT</TimeNextVisible>
<MessageText>eyJhIjogMX0=&amp;</MessageText></QueueMessage></QueueMessagesList>"""


def test_an_empty_answer_holds_no_message() -> None:
    assert messages_in(EMPTY) == []


def test_a_message_has_what_a_trigger_needs() -> None:
    [message] = messages_in(ONE)
    assert (message.id, message.pop_receipt, message.dequeue_count) == ("m1", "r+1=", 2)
    assert message.content == "eyJhIjogMX0=&"
    assert message.inserted_on == datetime(2026, 11, 21, 10, tzinfo=UTC)
    assert message.next_visible_on == datetime(2026, 11, 21, 10, 10, tzinfo=UTC)
