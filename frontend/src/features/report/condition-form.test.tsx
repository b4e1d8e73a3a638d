import type { Condition } from "@/api/types";
import { makeQueryClient, Providers } from "@/app/providers";
import { answers, service } from "@/test/service";
import { render, screen } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
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
