"""Reads all contacts of a service with dlt: a source of its REST API, extracted."""

import sys
import time

import dlt
from dlt.sources.helpers.rest_client import RESTClient
from dlt.sources.helpers.rest_client.auth import BearerTokenAuth
from dlt.sources.helpers.rest_client.paginators import OffsetPaginator


@dlt.resource
def contacts():
    client = RESTClient(
        base_url=sys.argv[1],
        auth=BearerTokenAuth("a-key"),
        headers={"x-api-version": "2025-09"},
        data_selector="data",
        paginator=OffsetPaginator(
            limit=50,
            limit_body_path="input.limit",
            offset_body_path="input.offset",
            total_path=None,
            has_more_path="pagination.hasMore",
        ),
    )
    body = {"credentialId": "68d9876543210fedcba98765", "actionId": "listContacts"}
    path = "connectors/hubspot/actions/listContacts/execute"
    yield from client.paginate(path, method="POST", json=body)


begin = time.perf_counter()
count = total = 0
for contact in contacts():
    count += 1
    total += contact["id"]
print(count, total, time.perf_counter() - begin)
