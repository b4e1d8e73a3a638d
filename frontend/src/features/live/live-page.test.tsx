import { openPage } from "@/test/open-page";
import { answers, PROJECT_ID, service } from "@/test/service";
import { screen } from "@testing-library/react";
import { expect, test } from "vitest";

test("the page says what does not appear on it, and where to look", async () => {
  service.use(answers.problem("post", "/projects/:id/live/ticket", 503, { code: "unavailable", title: "x", detail: "x" }));
  openPage(`/p/${PROJECT_ID}/live`);
  expect(await screen.findByText(/Requests refused at the door \(blocked origin, wrong key\) do not appear here/)).toBeInTheDocument();
  expect(screen.getByRole("link", { name: "Why nothing arrives" })).toHaveAttribute("href", `/p/${PROJECT_ID}/setup`);
});

test.each([
  [12, "12 people within 5 min"],
  [1, "1 person within 5 min"],
])("the navigation says how many are there now: %s", async (people, said) => {
  service.use(
    answers.problem("post", "/projects/:id/live/ticket", 503, { code: "unavailable", title: "x", detail: "x" }),
    answers.get("/analytics/present", { people, page_views: 3, seconds: 300 }),
  );
  openPage(`/p/${PROJECT_ID}/live`);
  expect(await screen.findByText(said)).toBeInTheDocument();
  expect(screen.getByRole("link", { name: `Live ${said}` })).toBeInTheDocument();
});
