import { render, screen } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { useState } from "react";
import { afterEach, expect, test, vi } from "vitest";
import { Combobox, type ComboboxOption } from "./combobox";
import { roomOf } from "./use-list-room";

afterEach(() => vi.restoreAllMocks());

const wiring = { id: "field", "aria-invalid": undefined, "aria-describedby": undefined };
const optionsOf = (...values: string[]): ComboboxOption[] => values.map((value) => ({ value }));

function Held({ options, onTake, mark }: { options: readonly ComboboxOption[]; onTake?: (value: string) => void; mark?: string }) {
  const [value, setValue] = useState("");
  return <Combobox wiring={wiring} value={value} onChange={setValue} {...(onTake && { onTake })} mark={mark} options={options} emptyText="None" />;
}

test("options of an older text are neither offered nor taken; Enter takes what is typed", async () => {
  const taken: string[] = [];
  const user = userEvent.setup();
  render(<Held options={optionsOf("device", "Browser_version")} onTake={(value) => taken.push(value)} />);
  const field = screen.getByRole("combobox");
  await user.type(field, "browser");
  expect(screen.getAllByRole("option").map((one) => one.textContent)).toEqual(["Browser_version"]);
  await user.type(field, "s{ArrowDown}{Enter}");
  expect(field).toHaveValue("browsers");
  expect(taken).toEqual(["browsers"]);
});

test("an answer that comes in does not change which option is meant", async () => {
  const user = userEvent.setup();
  const { rerender } = render(<Held options={optionsOf("plan", "page")} />);
  const field = screen.getByRole("combobox");
  await user.type(field, "p{ArrowDown}");
  rerender(<Held options={optionsOf("price", "plan", "page")} />);
  await user.keyboard("{Enter}");
  expect(field).toHaveValue("plan");
});

test("the mark of the chosen value stands in the field and is read with it", () => {
  render(<Held options={[]} mark="built in" />);
  expect(screen.getByRole("combobox")).toHaveAccessibleDescription("built in");
  expect(screen.getByText("built in")).toBeVisible();
});

test("a list opens on the side with room, never higher than it", () => {
  const seen = { top: 0, bottom: 800 };
  expect(roomOf({ top: 100, bottom: 136 }, seen)).toEqual({ isAbove: false, height: 288 });
  expect(roomOf({ top: 740, bottom: 776 }, seen)).toEqual({ isAbove: true, height: 288 });
  expect(roomOf({ top: 140, bottom: 176 }, { top: 0, bottom: 380 })).toEqual({ isAbove: false, height: 190 });
  expect(roomOf({ top: 200, bottom: 236 }, { top: 0, bottom: 300 })).toEqual({ isAbove: true, height: 186 });
});

test("at the edge of the window the list stands above its field", async () => {
  vi.spyOn(HTMLInputElement.prototype, "getBoundingClientRect").mockReturnValue(new DOMRect(0, window.innerHeight - 40, 200, 36));
  render(<Held options={optionsOf("plan")} />);
  await userEvent.setup().click(screen.getByRole("combobox"));
  expect(screen.getByRole("listbox").parentElement).toHaveClass("bottom-full");
});

test("inside a sheet that scrolls it stands below: what is above the sheet's top cannot be reached", async () => {
  vi.spyOn(HTMLInputElement.prototype, "getBoundingClientRect").mockReturnValue(new DOMRect(0, window.innerHeight - 140, 200, 36));
  vi.spyOn(HTMLDivElement.prototype, "getBoundingClientRect").mockReturnValue(new DOMRect(0, window.innerHeight - 200, 200, 200));
  render(
    <div style={{ overflowY: "auto" }}>
      <Held options={optionsOf("plan")} />
    </div>,
  );
  await userEvent.setup().click(screen.getByRole("combobox"));
  expect(screen.getByRole("listbox").parentElement).toHaveClass("top-full");
});
