"""Reads all contacts of a service with a loop over requests."""

import sys
import time

import requests

URL = sys.argv[1] + "/connectors/hubspot/actions/listContacts/execute"


def contacts():
    session = requests.Session()
    session.headers["Authorization"] = "Bearer a-key"
    session.headers["x-api-version"] = "2025-09"
    offset, has_more = 0, True
    while has_more:
        body = {
            "credentialId": "68d9876543210fedcba98765",
            "actionId": "listContacts",
            "input": {"limit": 50, "offset": offset},
        }
        response = session.post(URL, json=body)
        response.raise_for_status()
        result = response.json()
        yield from result["data"]
        has_more = result["pagination"]["hasMore"]
        offset = result["pagination"]["nextOffset"]


begin = time.perf_counter()
count = total = 0
for contact in contacts():
    count += 1
    total += contact["id"]
print(count, total, time.perf_counter() - begin)
