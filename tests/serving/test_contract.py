"""The service does what its OpenAPI document says, for requests drawn from the document."""

import schemathesis
from hypothesis import HealthCheck, settings
from schemathesis import Case

from tests.serving.stand_in import StandIn, make_app

app = make_app(StandIn(), api_key="right")
config = schemathesis.config.SchemathesisConfig.from_dict(
    {"checks": {"negative_data_rejection": {"expected-statuses": [400, 401, 413, 415, 422]}}}
)
schema = schemathesis.openapi.from_asgi("/openapi.json", app, config=config)


@schema.parametrize()
@settings(
    max_examples=300,
    derandomize=True,
    deadline=None,
    database=None,
    suppress_health_check=list(HealthCheck),
)
def test_responses_conform_to_the_document(case: Case) -> None:
    case.call_and_validate(headers={"Authorization": "Bearer right"})
