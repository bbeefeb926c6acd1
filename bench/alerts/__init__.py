"""Alerts by the thousand: does each reach the incident of its cause, and how fast are people told?"""
