"""Alert rules and dashboard use metrics and labels that the service has."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from prometheus_client.parser import text_string_to_metric_families
from starlette.testclient import TestClient

from tests.serving.stand_in import StandIn, make_app

OPERATE = Path(__file__).resolve().parents[2] / "docs" / "operate"


def alert_queries() -> list[str]:
    groups = yaml.safe_load((OPERATE / "alerts.yml").read_text(encoding="utf-8"))["groups"]
    return [rule["expr"] for group in groups for rule in group["rules"]]


def dashboard_queries() -> list[str]:
    dashboard: Any = json.loads((OPERATE / "dashboard.json").read_text(encoding="utf-8"))
    return [target["expr"] for panel in dashboard["panels"] for target in panel["targets"]]


@pytest.mark.parametrize("queries", [alert_queries, dashboard_queries])
def test_queries_use_metrics_and_labels_that_exist(queries: Any) -> None:
    client = TestClient(make_app(StandIn()))
    client.post("/summarize", json={"article": "One paragraph."})
    labels: dict[str, set[str]] = {}
    for family in text_string_to_metric_families(client.get("/metrics").text):
        for sample in family.samples:
            labels.setdefault(sample.name, set()).update(sample.labels)
    assert len(queries()) >= 4
    for query in queries():
        names = re.findall(r"highlighter_\w+", query)
        assert names and set(names) <= set(labels), query
        known = set().union(*(labels[name] for name in names))
        used = re.findall(r"(\w+)[!=]~?\"", query) + [
            label
            for group in re.findall(r"by \(([^)]+)\)", query)
            for label in re.split(r",\s*", group)
        ]
        assert set(used) <= known, query
