"""What no failed run tells: looked for at its own pace, within a stated number of queries."""
