import { openPage } from "@/test/open-page";
import { answers, makeAnswer, makeFunnel, PROJECT_ID, service } from "@/test/service";
import { screen, waitFor, within } from "@testing-library/react";
import type { UserEvent } from "@testing-library/user-event";
import { http, HttpResponse } from "msw";
import { expect, test } from "vitest";

const NEW = `/p/${PROJECT_ID}/funnels/new`;
const eventOf = (order: number): HTMLElement => screen.getByRole("combobox", { name: `Event of stage ${order}` });

/** At once: typed letter by letter a form of this size takes seconds. */
async function put(user: UserEvent, field: HTMLElement, text: string): Promise<void> {
  await user.click(field);
  await user.paste(text);
}

async function fill(user: UserEvent, name: string, ...events: string[]): Promise<void> {
  await put(user, await screen.findByRole("textbox", { name: "Name" }), name);
  for (const [index, event] of events.entries()) await put(user, eventOf(index + 1), event);
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

test("what is typed is saved as a definition, and the new funnel opens", { timeout: 90_000 }, async () => {
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

test("a condition on a stage is part of what is saved", { timeout: 90_000 }, async () => {
  const saved = catchSaved();
  const { user } = openPage(NEW);
  await fill(user, "Checkout", "view", "buy");
  await user.click(screen.getAllByRole("button", { name: "Add filter" })[1] ?? document.body);
  await put(user, screen.getByRole("combobox", { name: "Property" }), "price");
  await user.selectOptions(screen.getByRole("combobox", { name: "Condition" }), "at least");
  await put(user, screen.getByRole("combobox", { name: "Value" }), "12.5");
  await user.click(screen.getAllByRole("button", { name: "or another event" })[0] ?? document.body);
  await put(user, screen.getAllByRole("combobox", { name: "Event of stage 1" })[1] ?? document.body, "open");
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

test("a condition whose property changes asks for a value of its own", { timeout: 90_000 }, async () => {
  const { user } = openPage(NEW);
  await fill(user, "Checkout", "view", "buy");
  await user.click(screen.getAllByRole("button", { name: "Add filter" })[0] ?? document.body);
  const property = screen.getByRole("combobox", { name: "Property" });
  await put(user, property, "price");
  await user.selectOptions(screen.getByRole("combobox", { name: "Condition" }), "at least");
  await put(user, screen.getByRole("combobox", { name: "Value" }), "12");
  await user.type(property, "{Backspace}");
  expect(screen.getByRole("combobox", { name: "Value" })).toHaveValue("");
  await user.type(property, "e");
  expect(screen.getByRole("combobox", { name: "Value" })).toHaveValue("12");
  expect(screen.getByRole("combobox", { name: "Condition" })).toHaveValue("gte");
  await user.clear(property);
  await put(user, property, "plan");
  expect(screen.getByRole("combobox", { name: "Value" })).toHaveValue("");
  expect(screen.getByRole("combobox", { name: "Condition" })).toHaveValue("eq");
});

test("everything the engine can do is there on demand, and only what differs is sent", { timeout: 90_000 }, async () => {
  const saved = catchSaved();
  const { user } = openPage(NEW);
  await fill(user, "Checkout", "view", "buy");
  await user.click(screen.getByRole("button", { name: "More options of stage 2" }));
  await put(user, screen.getByRole("textbox", { name: "At most so long after the stage before" }), "30");
  await user.click(screen.getByRole("button", { name: /^More options Order/ }));
  await user.selectOptions(screen.getByRole("combobox", { name: "Order of the stages" }), "In this order, nothing in between");
  await user.selectOptions(screen.getByRole("combobox", { name: "Count" }), "Sessions");
  await user.click(screen.getByRole("checkbox", { name: /^Leave out bots/ }));
  await user.click(screen.getByRole("button", { name: "Hold a property constant" }));
  await put(user, screen.getByRole("combobox", { name: "Property held constant 1" }), "order_id");
  await user.click(screen.getByRole("button", { name: "Add exclusion" }));
  await put(user, screen.getByRole("combobox", { name: "Event of exclusion 1" }), "refund");
  await user.click(screen.getByRole("button", { name: "Create funnel" }));
  await screen.findByRole("region", { name: "Conversion" });
  expect(saved).toEqual([
    {
      project_id: PROJECT_ID,
      name: "Checkout",
      description: "",
      window_seconds: 604_800,
      order: "strict",
      unit: "session",
      hold: ["order_id"],
      exclude_bots: true,
      exclusions: [{ event: "refund", from_stage: 1 }],
      stages: [
        { name: "view", order: 1, event: "view" },
        { name: "buy", order: 2, event: "buy", within_seconds: 1_800 },
      ],
    },
  ]);
});

test("what the service says against the draft stands at its field while it is written, and goes when it is mended", async () => {
  service.use(
    http.post("*/api/v1/analytics/funnel", async ({ request }) => {
      const { order } = (await request.json()) as { order?: string };
      if (order !== "unordered") return HttpResponse.json(makeAnswer([20, 5]));
      const errors = [{ pointer: "/stages/1/within_seconds", code: "conflicting_fields", message: "windows between stages need an order" }];
      return HttpResponse.json({ status: 422, code: "validation_error", title: "x", errors }, { status: 422 });
    }),
  );
  const { user } = openPage(NEW);
  await fill(user, "Checkout", "view", "buy");
  await user.click(screen.getByRole("button", { name: "More options of stage 2" }));
  const within = screen.getByRole("textbox", { name: "At most so long after the stage before" });
  await put(user, within, "30");
  await user.click(screen.getByRole("button", { name: /^More options Order/ }));
  await user.selectOptions(screen.getByRole("combobox", { name: "Order of the stages" }), "In any order");
  await waitFor(() => expect(within).toHaveAccessibleDescription("Windows between stages need an order."));
  await user.selectOptions(screen.getByRole("combobox", { name: "Order of the stages" }), "In this order");
  await waitFor(() => expect(within).not.toHaveAccessibleDescription());
});

test("a closed list of options says in words what differs; a fault in it opens it", async () => {
  const unusual = makeFunnel({ order: "unordered", hold: ["order_id"], count: "totals" });
  service.use(
    answers.get("/funnels/:id", unusual),
    answers.problem("put", "/funnels/:id", 422, { code: "validation_error", title: "x", errors: [{ pointer: "/hold/0", code: "bad", message: "is not a property" }] }),
  );
  const { user } = openPage(`/p/${PROJECT_ID}/funnels/f1/edit`);
  expect(await screen.findByRole("button", { name: "More options any order, same order_id, every path counts" })).toHaveAttribute("aria-expanded", "false");
  await user.click(screen.getByRole("button", { name: "Save changes" }));
  await waitFor(() => expect(screen.getByRole("combobox", { name: "Property held constant 1" })).toHaveAccessibleDescription("Is not a property."));
});

test("what people do next becomes a stage with one click, in the place of an empty one", async () => {
  const asked: unknown[] = [];
  service.use(
    http.post("*/api/v1/analytics/funnel/next-steps", async ({ request }) => {
      asked.push(((await request.json()) as { stages: unknown }).stages);
      const step = { event: "pay", page: null, users: 8, share: 80, median_s: 90, stage: { name: "pay", event: "pay", filters: [] } };
      return HttpResponse.json({ reached: 10, next_steps: [step] });
    }),
  );
  const { user } = openPage(NEW);
  await fill(user, "Checkout", "view");
  await user.keyboard("{Escape}");
  await user.click(await screen.findByRole("button", { name: "Add pay, which 80.0% do next, as a stage" }));
  expect(eventOf(2)).toHaveValue("pay");
  expect(asked[0]).toEqual([{ name: "view", order: 1, event: "view" }]);
  expect(screen.queryByRole("combobox", { name: "Event of stage 3" })).not.toBeInTheDocument();
});

test("the preview counts what is finished, without the filter that is still being written", async () => {
  const asked: { stages: unknown }[] = [];
  service.use(
    http.post("*/api/v1/analytics/funnel", async ({ request }) => {
      asked.push((await request.json()) as { stages: unknown });
      return HttpResponse.json(makeAnswer([20, 5]));
    }),
  );
  const { user } = openPage(NEW);
  await fill(user, "Checkout", "view", "buy");
  await user.click(screen.getAllByRole("button", { name: "Add filter" })[0] ?? document.body);
  await put(user, screen.getByRole("combobox", { name: "Property" }), "plan");
  await waitFor(() => expect(asked.length).toBeGreaterThan(0));
  expect(asked.at(-1)?.stages).toEqual([
    { name: "view", order: 1, event: "view" },
    { name: "buy", order: 2, event: "buy" },
  ]);
});

test("a name that no event has is said to have none, with the names that may be meant to take", async () => {
  service.use(answers.seen(["page_view", "purchase", "search"]));
  const { user } = openPage(NEW);
  await fill(user, "x", "page_view", "purchse");
  expect(await screen.findByText(/^No event with this name so far/)).toHaveTextContent("No event with this name so far. Did you mean purchase?");
  await user.click(screen.getByRole("button", { name: "Use purchase instead" }));
  expect(eventOf(2)).toHaveValue("purchase");
  await waitFor(() => expect(screen.queryByText(/^No event with this name/)).not.toBeInTheDocument());
});

test("a filter for all stages stands beside the stages", { timeout: 90_000 }, async () => {
  const saved = catchSaved();
  const { user } = openPage(NEW);
  await fill(user, "Checkout", "view", "buy");
  await user.click(screen.getByRole("button", { name: "Filter all stages" }));
  await put(user, screen.getByRole("combobox", { name: "Property" }), "property:plan");
  expect(screen.getByRole("combobox", { name: "Property" })).toHaveValue("plan");
  await put(user, screen.getByRole("combobox", { name: "Value" }), "pro");
  await user.click(screen.getByRole("button", { name: "Create funnel" }));
  await screen.findByRole("region", { name: "Conversion" });
  expect(saved).toMatchObject([{ filters: [{ property: "property:plan", op: "eq", value: "pro" }] }]);
});

test("leaving with changes asks first", async () => {
  const { user, address } = openPage(NEW);
  await fill(user, "x");
  await user.click(screen.getByRole("link", { name: "Cancel" }));
  expect(address()).toBe(NEW);
  await user.click(await screen.findByRole("button", { name: "Leave" }));
  await waitFor(() => expect(address()).toBe(`/p/${PROJECT_ID}/funnels`));
});
