import { expect, test } from "vitest";
import { remediesOf, shownFindings, type Finding } from "./remedies";

const finding = (code: Finding["code"], over: Partial<Finding> = {}): Finding => ({ code, severity: "error", title: "t", advice: "a", count: 1, lately: 1, last_at: null, samples: [], ...over });
const sample = (origin: string | null) => ({ at: "2026-11-20T09:15:02Z", first_at: "2026-11-20T09:15:02Z", count: 1, reason: "blocked_origin", origin });

const waited = (isWaiting: boolean, now: string) => ({ isWaiting, createdAt: "2026-11-20T09:00:00Z", checkedAt: `2026-11-20T${now}:00Z` });

test("a refused origin can be allowed at once, each once, and only what is one", () => {
  const samples = ["https://a.test", "https://a.test", null, "null", "https://b.test"].map(sample);
  const remedies = remediesOf("p1", finding("blocked_origin", { samples }));
  expect(remedies).toEqual([
    { kind: "allow", origin: "https://a.test", label: "Allow https://a.test" },
    { kind: "allow", origin: "https://b.test", label: "Allow https://b.test" },
    { kind: "link", to: "/p/p1/settings?section=origins", label: "Change the allowed origins" },
  ]);
});

test.each([
  ["revoked_key", "/p/p1/settings?section=keys"],
  ["expired_key", "/p/p1/settings?section=keys"],
  ["unknown_key", "/p/p1/settings?section=keys"],
  ["missing_key", "/p/p1/settings?section=keys"],
  ["secret_key_in_page", "/p/p1/settings?section=keys"],
  ["quota_exceeded", "/p/p1/settings?section=limits"],
  ["rate_limited", "/p/p1/settings?section=limits"],
  ["sampled_out", "/p/p1/settings?section=sampling"],
  ["properties_removed", "/p/p1/settings?section=privacy"],
  ["invalid_events", "/p/p1/quality?tab=refused"],
  ["storage_unavailable", "/system"],
  ["tracker_silent", "/p/p1/setup?options=open"],
] as const)("%s leads to %s", (code, to) => expect(remediesOf("p1", finding(code))).toEqual([expect.objectContaining({ kind: "link", to })]));

test.each(["receiving", "nothing_seen", "quiet", "unreadable_requests", "duplicates", "bots"] as const)("%s needs no button", (code) =>
  expect(remediesOf("p1", finding(code))).toEqual([]),
);

test("what is fine is told only while somebody waits", () => {
  const all = [finding("receiving", { severity: "ok" }), finding("bots", { severity: "info" }), finding("blocked_origin")];
  expect(shownFindings(all, waited(true, "09:00")).map((one) => one.code)).toEqual(["bots", "blocked_origin"]);
  expect(shownFindings(all, waited(false, "09:00")).map((one) => one.code)).toEqual(["blocked_origin"]);
});

test("events without any request came from files: the silence is a note", () => {
  const all = [finding("bots", { severity: "info" }), finding("nothing_seen", { severity: "info" })];
  expect(shownFindings(all, waited(false, "11:00")).map((one) => one.code)).toEqual(["nothing_seen"]);
});

test.each([
  ["09:14", "info"],
  ["09:15", "error"],
])("silence of a project made at 09:00 is at %s: %s; a refusal is an error at once", (now, severity) => {
  const all = [finding("nothing_seen"), finding("blocked_origin")];
  expect(shownFindings(all, waited(true, now)).map((one) => one.severity)).toEqual([severity, "error"]);
});
