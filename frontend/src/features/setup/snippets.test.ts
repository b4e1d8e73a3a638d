import type { TrackingCode } from "@/api/types";
import { makeProject } from "@/test/service";
import { expect, test } from "vitest";
import { hasOptions, snippetOf, tabOf, TABS, trackerOptions, type Tracker } from "./snippets";

const code: TrackingCode = {
  api_key: "iafa_w_key",
  html: '<script defer src="https://iafa.test/tracker.js" data-key="iafa_w_key"></script>',
  script_url: "https://iafa.test/tracker.js",
  collector_url: "https://iafa.test",
  snippets: { html: "", curl: "curl iafa_w_key", python: "httpx iafa_w_key", node: "fetch iafa_w_key" },
};
const usual: Tracker = makeProject().tracker;

test.each(TABS)("the tab %s holds the real key", (tab) => expect(snippetOf(tab, code, usual)).toContain("iafa_w_key"));

test.each([
  [{}, {}],
  [{ auto: false, spa: false, local: false, dnt: false }, { auto: "off", spa: "off", local: "off", dnt: "off" }],
  [{ hash: true, cookieless: true }, { hash: "on", cookieless: "on" }],
  [{ consent: "required" as const, exit: "next" as const }, { consent: "required", exit: "next" }],
  [{ sample: 0.25, tag: "B" }, { sample: "0.25", tag: "B" }],
  [{ domains: ["a.test", "*.b.test"], exclude: ["/admin/*"] }, { domains: "a.test,*.b.test", exclude: "/admin/*" }],
])("of %o init is told %o", (over, options) => expect(trackerOptions({ ...usual, ...over })).toEqual(options));

test("with options the page asks for the file that has them inside", () => {
  expect(hasOptions(usual)).toBe(false);
  expect(snippetOf("html", code, usual)).toBe(code.html);
  for (const over of [{ build: "lite" as const }, { consent: "required" as const }]) {
    expect(snippetOf("html", code, { ...usual, ...over })).toBe('<script defer src="https://iafa.test/t.js?key=iafa_w_key"></script>');
    expect(snippetOf("gtm", code, { ...usual, ...over })).toContain("script.src = 'https://iafa.test/t.js?key=iafa_w_key';");
  }
});

test("the package is told the options in its code", () => {
  expect(snippetOf("npm", code, usual)).toContain("init({\n  key: 'iafa_w_key',\n  host: 'https://iafa.test',\n});");
  expect(snippetOf("react", code, { ...usual, consent: "required" })).toContain("  consent: 'required',\n");
});

test("no tag can end the string or the script element that it stands in", () => {
  const npm = snippetOf("npm", code, { ...usual, tag: `it's "</script>\\` });
  expect(npm).toContain(String.raw`tag: 'it\'s "\x3C/script>\\',`);
});

test("a tab that does not exist is the first", () => {
  expect(tabOf("segment")).toBe("segment");
  expect(tabOf("cobol")).toBe("html");
  expect(tabOf(null)).toBe("html");
});
