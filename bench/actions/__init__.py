"""Decisions, kills, repairs and edits by the hundred: is anything done twice, unasked, or unseen?"""
