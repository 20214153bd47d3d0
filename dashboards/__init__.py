"""The dashboards that come with the stack, written in Python: run `make dashboards` after a change.

Grafana reads the JSON that this package writes; nothing of it runs where the dashboards are shown.
"""
