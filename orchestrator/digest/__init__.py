"""The digest: once a day, and once a week, what failed and why, what is slower, what it cost and what is at risk."""
