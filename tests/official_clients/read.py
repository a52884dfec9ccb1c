"""Reads the emulator with the PyPI package hubspot-api-client, and writes lines of JSON.

python read.py <base URL> <inputs.json> <folder>
"""

import json
import sys
from datetime import datetime
from pathlib import Path

from hubspot import HubSpot
from hubspot.crm.associations.v4 import (
    BatchInputPublicFetchAssociationsBatchRequest,
    PublicFetchAssociationsBatchRequest,
)
from hubspot.crm.deals import (
    BatchReadInputSimplePublicObjectId,
    Filter,
    FilterGroup,
    PublicObjectSearchRequest,
    SimplePublicObjectId,
)

base_url, inputs_file, folder = sys.argv[1:]
client = HubSpot(access_token="a-token", host=base_url)
deals, associations = client.crm.deals, client.crm.associations.v4
ids = json.loads(Path(inputs_file).read_text())
properties = ["dealname", "amount", "stage", "note"]


def plain(value):
    """The JSON of the API from its models: an attribute that is None was not there."""
    if hasattr(value, "openapi_types"):
        names = value.attribute_map.items()
        pairs = ((name, getattr(value, attribute)) for attribute, name in names)
        return {name: plain(it) for name, it in pairs if it is not None}
    if isinstance(value, datetime):
        return value.isoformat(timespec="milliseconds").replace("+00:00", "Z")
    if isinstance(value, dict):
        return {name: plain(it) for name, it in value.items()}
    if isinstance(value, list):
        return [plain(it) for it in value]
    return value


def write(name, records):
    text = "".join(
        json.dumps(plain(it), ensure_ascii=False, sort_keys=True, separators=(",", ":")) + "\n"
        for it in records
    )
    Path(folder, f"{name}.ndjson").write_text(text, encoding="utf-8", newline="")


write("list", deals.get_all(properties=properties, associations=["companies"]))
write("archived", deals.get_all(properties=properties, archived=True))
write("history", deals.get_all(properties=properties, properties_with_history=["stage"]))

# It has no loop of its own for a search.
found, after = [], "0"
groups = [
    [
        Filter(property_name="amount", operator="GTE", value="300"),
        Filter(property_name="stage", operator="IN", values=["open", "won"]),
    ],
    [
        Filter(property_name="note", operator="HAS_PROPERTY"),
        Filter(property_name="amount", operator="LT", value="100"),
    ],
]
while after is not None:
    request = PublicObjectSearchRequest(
        filter_groups=[FilterGroup(filters=group) for group in groups],
        sorts=["-hs_object_id"],
        properties=properties,
        limit=100,
        after=after,
    )
    page = deals.search_api.do_search(request)
    found += page.results
    after = page.paging.next.after if page.paging and page.paging.next else None
write("search", found)

request = BatchReadInputSimplePublicObjectId(
    inputs=[SimplePublicObjectId(id=id) for id in ids],
    properties=properties,
    properties_with_history=[],
)
batch = deals.batch_api.read(request)
unknown = [id for error in getattr(batch, "errors", None) or [] for id in error.context["ids"]]
write("batch_read", batch.results + [{"missing": id} for id in unknown])

# An input has a cursor of its own, and the client has no loop for them.
rows, inputs = [], [PublicFetchAssociationsBatchRequest(id=id) for id in ids]
while inputs:
    request = BatchInputPublicFetchAssociationsBatchRequest(inputs=inputs)
    page = associations.batch_api.get_page("deals", "companies", request)
    inputs = []
    for result in page.results:
        for to in result.to:
            types = [
                {"category": it.category, "typeId": it.type_id, "label": it.label}
                for it in to.association_types
            ]
            rows.append({"from": result._from.id, "to": to.to_object_id, "types": types})
        if result.paging and result.paging.next:
            after = result.paging.next.after
            inputs.append(PublicFetchAssociationsBatchRequest(id=result._from.id, after=after))
    failed = [it for it in getattr(page, "errors", None) or [] if not it.sub_category]
    rows += [{"missing": id} for error in failed for id in error.context["fromObjectId"]]
write("associations", rows)
