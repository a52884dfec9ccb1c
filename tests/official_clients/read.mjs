// Reads the emulator with the npm package @hubspot/api-client, and writes lines of JSON.
//
//   node read.mjs <folder of the packages> <base URL> <inputs.json> <folder>

import { readFileSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";

const [packages, basePath, inputsFile, folder] = process.argv.slice(2);
const { Client } = createRequire(join(packages, "package.json"))("@hubspot/api-client");
const client = new Client({ accessToken: "a-token", basePath });
const { deals, associations } = client.crm;
const ids = JSON.parse(readFileSync(inputsFile, "utf8"));
const properties = ["dealname", "amount", "stage", "note"];

// Keys in order, as the others write them. Its models turn into the JSON of the API: times
// become texts, and what is undefined is left out.
const sorted = (value) => {
  if (Array.isArray(value)) return value.map(sorted);
  if (value === null || typeof value !== "object") return value;
  return Object.fromEntries(Object.keys(value).sort().map((key) => [key, sorted(value[key])]));
};
const write = (name, records) => {
  const lines = records.map((it) => JSON.stringify(sorted(JSON.parse(JSON.stringify(it)))) + "\n");
  writeFileSync(join(folder, `${name}.ndjson`), lines.join(""));
};
const missing = (errors) => errors.map((id) => ({ missing: id }));

write("list", await deals.getAll(100, undefined, properties, undefined, ["companies"]));
write("archived", await deals.getAll(100, undefined, properties, undefined, undefined, true));
write("history", await deals.getAll(50, undefined, properties, ["stage"]));

// It has no loop of its own for a search.
const found = [];
for (let after = "0"; after !== undefined; ) {
  const page = await deals.searchApi.doSearch({
    filterGroups: [
      {
        filters: [
          { propertyName: "amount", operator: "GTE", value: "300" },
          { propertyName: "stage", operator: "IN", values: ["open", "won"] },
        ],
      },
      {
        filters: [
          { propertyName: "note", operator: "HAS_PROPERTY" },
          { propertyName: "amount", operator: "LT", value: "100" },
        ],
      },
    ],
    sorts: ["-hs_object_id"],
    properties,
    limit: 100,
    after,
  });
  found.push(...page.results);
  after = page.paging?.next?.after;
}
write("search", found);

const inputs = ids.map((id) => ({ id }));
const batch = await deals.batchApi.read({ inputs, properties, propertiesWithHistory: [] });
const unknown = (batch.errors ?? []).flatMap((error) => error.context.ids);
write("batch_read", [...batch.results, ...missing(unknown)]);

// An input has a cursor of its own, and the client has no loop for them.
const rows = [];
for (let next = inputs; next.length > 0; ) {
  const page = await associations.v4.batchApi.getPage("deals", "companies", { inputs: next });
  next = [];
  for (const { _from, to, paging } of page.results) {
    for (const { toObjectId, associationTypes } of to) {
      // A number of the service has lost digits here already: JavaScript is exact up to 2^53.
      const id = typeof toObjectId === "number" ? BigInt(toObjectId).toString() : toObjectId;
      const types = associationTypes.map(({ category, typeId, label }) => ({
        category, typeId, label: label ?? null,
      }));
      rows.push({ from: _from.id, to: id, types });
    }
    if (paging?.next) next.push({ id: _from.id, after: paging.next.after });
  }
  const failed = (page.errors ?? []).filter((error) => !error.subCategory);
  rows.push(...missing(failed.flatMap((error) => error.context.fromObjectId)));
}
write("associations_rounded", rows);
