import { render, screen, within } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { afterEach, expect, test, vi } from "vitest";
import { RangePicker } from "./range-picker";

afterEach(() => vi.restoreAllMocks());

test.each([true, false])("days of one's own are applied, on a phone (%s) in a sheet", async (isPhone) => {
  vi.spyOn(globalThis, "matchMedia").mockImplementation((query) => Object.assign(new EventTarget(), { matches: isPhone && query.includes("max-width"), media: query, onchange: null }) as unknown as MediaQueryList);
  const chosen: unknown[] = [];
  const user = userEvent.setup();
  render(<RangePicker choice={{ preset: "custom", range: { start: "2026-11-02", end: "2026-11-08" } }} today="2026-11-21" timeZone="UTC" onChange={(choice) => chosen.push(choice)} />);
  await user.click(screen.getByRole("button", { name: /date range/i }));
  const panel = await screen.findByRole("dialog", { name: "Date range" });
  expect(panel.tagName).toBe(isPhone ? "DIALOG" : "DIV");
  await user.click(await within(panel).findByRole("button", { name: /12(th)?\b.*November|November 12/i }));
  const cells = within(panel).getAllByRole("gridcell", { selected: true });
  // A plain day turns grey under the pointer; the ends have light text and stay in the accent.
  for (const at of [0, cells.length - 1]) expect(cells[at]).toHaveClass("[&>button]:bg-accent", "[&>button]:hover:bg-accent-hover", "[&>button]:text-on-accent");
  expect(cells[1]).toHaveClass("bg-accent-wash", "text-accent-ink");
  await user.click(within(panel).getByRole("button", { name: "Apply" }));
  expect(chosen).toEqual([{ preset: "custom", range: { start: "2026-11-02", end: "2026-11-12" } }]);
  expect(screen.queryByRole("button", { name: "Apply" })).toBeNull();
});
