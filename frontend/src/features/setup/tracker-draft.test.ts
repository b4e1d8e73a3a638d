import { makeProject } from "@/test/service";
import { expect, test } from "vitest";
import { trackerDraft, trackerOf } from "./tracker-draft";

test.each([
  {},
  { build: "lite" as const, consent: "required" as const, exit: "next" as const },
  { auto: false, spa: false, hash: true, local: false, dnt: false, cookieless: true },
  { sample: 0.125, domains: ["a.test", "*.b.test"], exclude: ["/admin/*"], tag: "B" },
])("options survive the form: %o", (over) => {
  const project = makeProject({ tracker: { ...makeProject().tracker, ...over } });
  expect(trackerOf(trackerDraft(project))).toEqual(project.tracker);
});

test("lists are read however they are separated, each entry once", () => {
  const draft = { ...trackerDraft(makeProject()), domains: " a.test,b.test  a.test ", exclude: "\n/x,,/y", tag: "  " };
  expect(trackerOf(draft)).toMatchObject({ domains: ["a.test", "b.test"], exclude: ["/x", "/y"], tag: null });
});
