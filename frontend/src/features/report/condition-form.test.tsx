import type { Condition } from "@/api/types";
import { makeQueryClient, Providers } from "@/app/providers";
import { answers, service } from "@/test/service";
import { render, screen, waitFor } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { http, HttpResponse } from "msw";
import { expect, test } from "vitest";
import { ConditionForm } from "./condition-form";

test("another property empties the value; of two with one name the built-in one says so", async () => {
  service.use(
    answers.get("/analytics/properties", {
      properties: [{ name: "browser", filter: "property:browser", events: 7, types: ["text"], last_seen: null }],
      columns: [
        { name: "browser", filter: "column:browser" },
        { name: "country", filter: "column:country" },
      ],
      rows_read: 1,
      is_complete: true,
      data_version: "1",
    }),
  );
  const applied: Condition[] = [];
  const user = userEvent.setup();
  render(
    <Providers client={makeQueryClient()}>
      <ConditionForm projectId="p1" eventTypes={[]} condition={{ property: "column:country", op: "eq", value: "Spain" }} onApply={(one) => applied.push(one)} onCancel={() => undefined} />
    </Providers>,
  );
  const property = screen.getByRole("combobox", { name: "Property" });
  const value = screen.getByRole("combobox", { name: "Value" });
  await user.click(property);
  await user.click(await screen.findByRole("option", { name: /country/ }));
  expect(value).toHaveValue("Spain");
  await user.clear(property);
  await user.type(property, "BROW");
  await user.click(await screen.findByRole("option", { name: /browser.*built in/ }));
  expect(property).toHaveAccessibleDescription("built in");
  expect(value).toHaveValue("");
  await user.clear(property);
  await user.type(property, "brow");
  await user.click(await screen.findByRole("option", { name: /browser.*7 events/ }));
  expect(property).not.toHaveAccessibleDescription();
  await user.type(value, "Opera{Enter}");
  await user.click(screen.getByRole("button", { name: "Apply" }));
  expect(applied).toEqual([{ property: "property:browser", op: "eq", value: "Opera" }]);
});

test("of a list the part after the last comma is completed; what is there already is not offered again", async () => {
  const asked: string[] = [];
  service.use(
    answers.get("/analytics/properties", { properties: [], columns: [], rows_read: 1, is_complete: true, data_version: "1" }),
    http.get("*/api/v1/analytics/properties/values", ({ request }) => {
      asked.push(new URL(request.url).searchParams.get("q") ?? "");
      const values = ["Spain", "France", "Bonaire, Saba"].map((value) => ({ value, events: 7, last_seen: null }));
      return HttpResponse.json({ values, rows_read: 1, is_complete: true, data_version: "1" });
    }),
  );
  const applied: Condition[] = [];
  const user = userEvent.setup();
  render(
    <Providers client={makeQueryClient()}>
      <ConditionForm projectId="p1" eventTypes={[]} condition={{ property: "column:country", op: "in", value: ["Spain"] }} onApply={(one) => applied.push(one)} onCancel={() => undefined} />
    </Providers>,
  );
  const value = screen.getByRole("combobox", { name: "Value" });
  await user.type(value, ", fra");
  await waitFor(() => expect(asked).toContain("fra"));
  await user.click(await screen.findByRole("option", { name: /France/ }));
  expect(value).toHaveValue("Spain, France");
  await user.type(value, ",");
  await user.click(await screen.findByRole("option", { name: /Bonaire/ }));
  expect(screen.queryByRole("option", { name: /Spain/ })).toBeNull();
  await user.click(screen.getByRole("button", { name: "Apply" }));
  expect(applied).toEqual([{ property: "column:country", op: "in", value: ["Spain", "France", "Bonaire, Saba"] }]);
});
