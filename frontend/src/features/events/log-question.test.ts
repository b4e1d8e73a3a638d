import { expect, test } from "vitest";
import { columnLabel, exportPath, fieldsOf, personOf, questionOf, readColumns, readNames, readOrder, USUAL_COLUMNS, valueOf, withCondition, writeColumns, writeNames } from "./log-question";

const address = (query: string): URLSearchParams => new URLSearchParams(query);

test.each([
  ["", USUAL_COLUMNS],
  ["column=", []],
  ["column=url&column=properties.plan", ["url", "properties.plan"]],
  ["column=url&column=url&column=nonsense&column=properties.&column=project_id", ["url"]],
  ["column=properties.a%2Cb", ["properties.a,b"]],
])("columns of %j", (query, columns) => expect(readColumns(address(query))).toEqual(columns));

test("columns and names that were written are read back; the usual columns need no place in the address", () => {
  for (const columns of [[], ["id"], ["properties.<img>", "properties.a b", "url"]]) {
    const written = writeColumns(address("range=7d&column=id"), columns);
    expect(readColumns(written)).toEqual(columns);
    expect(written.get("range")).toBe("7d");
  }
  expect(writeColumns(address("column=id"), USUAL_COLUMNS).toString()).toBe("");
  const names = ["buy", "שלום", "a&b"];
  expect(readNames(writeNames(address("event=old"), names))).toEqual(names);
  expect(readNames(address("event=&event=a&event=a"))).toEqual(["a"]);
});

test("the order is newest first unless the address says otherwise", () => {
  expect([readOrder(address("")), readOrder(address("order=asc")), readOrder(address("order=x"))]).toEqual(["desc", "asc", "desc"]);
});

test("what a row needs is always asked for; a name with a comma asks for all properties", () => {
  expect(fieldsOf(["url", "properties.plan"])).toEqual(["id", "created_at", "received_at", "event_type", "user_id", "anonymous_id", "is_bot", "url", "properties.plan"]);
  expect(fieldsOf(["user_id", "properties.plan", "properties.a,b"])).toEqual(["id", "created_at", "received_at", "event_type", "user_id", "anonymous_id", "is_bot", "properties"]);
});

test("values are one line each, of single properties or of all", () => {
  const row = { id: "e", created_at: "t", received_at: "t", url: null, "properties.price": 12, "properties.tags": ["a"], properties: { "a,b": false } };
  expect(valueOf(row, "url")).toBeNull();
  expect(valueOf(row, "properties.price")).toBe("12");
  expect(valueOf(row, "properties.tags")).toBe('["a"]');
  expect(valueOf(row, "properties.a,b")).toBe("false");
  expect(valueOf(row, "properties.toString")).toBeNull();
  expect(columnLabel("properties.price")).toBe("price");
});

test("the file has the same question as the table", () => {
  const frame = { projectId: "p1", range: { start: "2026-11-01", end: "2026-11-20" }, conditions: [{ property: "plan", op: "eq" as const, value: "a&b" }], excludesBots: true };
  const query = new URL(exportPath(questionOf(frame, ["buy", "view"], "u/1"), "parquet"), "http://x").searchParams;
  expect(query.getAll("event_type")).toEqual(["buy", "view"]);
  expect(Object.fromEntries(query)).toMatchObject({
    project_id: "p1", format: "parquet", start: "2026-11-01", end: "2026-11-20", user_id: "u/1", exclude_bots: "true",
    filters: '[{"property":"plan","op":"eq","value":"a&b"}]',
  });
});

test("a person is named by the user id, else by the device", () => {
  expect(personOf({ user_id: "u", anonymous_id: "a" })).toBe("u");
  expect(personOf({ user_id: null, anonymous_id: "a" })).toBe("a");
  expect(personOf({ user_id: "" })).toBeNull();
});

test("the same condition stands once", () => {
  const one = { property: "p", op: "eq" as const, value: "1" };
  expect(withCondition([one], { ...one })).toEqual([one]);
  expect(withCondition([], one)).toEqual([one]);
});
