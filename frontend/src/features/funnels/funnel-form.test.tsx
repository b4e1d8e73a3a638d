import { openPage } from "@/test/open-page";
import { answers, makeFunnel, PROJECT_ID, service } from "@/test/service";
import { screen, waitFor, within } from "@testing-library/react";
import type { UserEvent } from "@testing-library/user-event";
import { http, HttpResponse } from "msw";
import { expect, test } from "vitest";

const NEW = `/p/${PROJECT_ID}/funnels/new`;
const eventOf = (order: number): HTMLElement => screen.getByRole("combobox", { name: `Event of stage ${order}` });

async function fill(user: UserEvent, name: string, ...events: string[]): Promise<void> {
  await user.type(await screen.findByRole("textbox", { name: "Name" }), name);
  for (const [index, event] of events.entries()) await user.type(eventOf(index + 1), event);
}

function catchSaved(): unknown[] {
  const saved: unknown[] = [];
  service.use(
    http.post("*/api/v1/funnels", async ({ request }) => {
      saved.push(await request.json());
      return HttpResponse.json(makeFunnel(), { status: 201 });
    }),
  );
  return saved;
}

test("what is typed is saved as a definition, and the new funnel opens", async () => {
  const saved = catchSaved();
  const { user, address } = openPage(NEW);
  await fill(user, "Checkout", "view", "buy");
  await user.click(screen.getByRole("button", { name: "Create funnel" }));
  await screen.findByRole("region", { name: "Conversion" });
  expect(saved).toEqual([
    {
      project_id: PROJECT_ID,
      name: "Checkout",
      description: "",
      window_seconds: 604_800,
      stages: [
        { name: "view", order: 1, event: "view" },
        { name: "buy", order: 2, event: "buy" },
      ],
    },
  ]);
  expect(address()).toBe(`/p/${PROJECT_ID}/funnels/f1`);
});

test("an unfinished funnel is not sent; each fault stands at its field", async () => {
  const saved = catchSaved();
  const { user } = openPage(NEW);
  await screen.findByRole("textbox", { name: "Name" });
  await user.click(screen.getByRole("button", { name: "Create funnel" }));
  expect(await screen.findByText("Give the funnel a name.")).toBeInTheDocument();
  expect(screen.getAllByText("Choose an event.")).toHaveLength(2);
  expect(screen.getByRole("textbox", { name: "Name" })).toHaveFocus();
  expect(saved).toEqual([]);
});

test("a complaint of the service stands at the field it is about", async () => {
  service.use(
    answers.problem("post", "/funnels", 422, {
      code: "validation_error",
      title: "x",
      errors: [{ pointer: "/stages/1/event", code: "bad", message: "event name is too odd" }],
    }),
  );
  const { user } = openPage(NEW);
  await fill(user, "Checkout", "view", "odd");
  await user.click(screen.getByRole("button", { name: "Create funnel" }));
  await waitFor(() => expect(eventOf(2)).toHaveAccessibleDescription("Event name is too odd."));
});

test("suggestions come from the events seen and are taken with the keyboard", async () => {
  service.use(answers.seen(["page_view", "purchase", "search"]));
  const { user } = openPage(NEW);
  await screen.findByRole("textbox", { name: "Name" });
  await user.type(eventOf(1), "p");
  await waitFor(() => expect(within(screen.getByRole("listbox")).getAllByRole("option")).toHaveLength(2));
  await user.keyboard("{ArrowDown}{ArrowDown}{Enter}");
  expect(eventOf(1)).toHaveValue("purchase");
  expect(screen.queryByRole("listbox")).not.toBeInTheDocument();
});

test("stages change places with Alt and the arrows, and that is spoken", async () => {
  const { user } = openPage(NEW);
  await fill(user, "x", "view", "buy");
  await user.keyboard("{Escape}{Alt>}{ArrowUp}{/Alt}");
  expect(eventOf(1)).toHaveValue("buy");
  expect(eventOf(2)).toHaveValue("view");
  expect(screen.getByText("buy is now stage 1 of 2.")).toBeInTheDocument();
});

test("a condition on a stage is part of what is saved", async () => {
  const saved = catchSaved();
  const { user } = openPage(NEW);
  await fill(user, "Checkout", "view", "buy");
  await user.click(screen.getAllByRole("button", { name: "Add filter" })[1] ?? document.body);
  await user.type(screen.getByRole("textbox", { name: "Property" }), "price");
  await user.selectOptions(screen.getByRole("combobox", { name: "Condition" }), "at least");
  await user.type(screen.getByRole("textbox", { name: "Value" }), "12.5");
  await user.click(screen.getAllByRole("button", { name: "or another event" })[0] ?? document.body);
  await user.type(screen.getAllByRole("combobox", { name: "Event of stage 1" })[1] ?? document.body, "open");
  await user.click(screen.getByRole("button", { name: "Create funnel" }));
  await screen.findByRole("region", { name: "Conversion" });
  expect(saved).toMatchObject([
    {
      stages: [
        { name: "view / open", order: 1, events: ["view", "open"] },
        { name: "buy", order: 2, event: "buy", filters: [{ property: "price", op: "gte", value: 12.5 }] },
      ],
    },
  ]);
});

test("leaving with changes asks first", async () => {
  const { user, address } = openPage(NEW);
  await fill(user, "x");
  await user.click(screen.getByRole("link", { name: "Cancel" }));
  expect(address()).toBe(NEW);
  await user.click(await screen.findByRole("button", { name: "Leave" }));
  await waitFor(() => expect(address()).toBe(`/p/${PROJECT_ID}/funnels`));
});
