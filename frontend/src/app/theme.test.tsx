import { act, render, screen } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { beforeEach, expect, test, vi } from "vitest";
import { useTheme } from "./theme";

/** The system's own choice, which a test turns. */
let isSystemDark = false;
const listeners = new Set<() => void>();

function turnSystem(isDark: boolean): void {
  isSystemDark = isDark;
  act(() => listeners.forEach((listener) => listener()));
}

beforeEach(() => {
  localStorage.clear();
  window.dispatchEvent(new StorageEvent("storage", { key: null }));
  listeners.clear();
  isSystemDark = false;
  document.documentElement.classList.remove("dark");
  vi.spyOn(window, "matchMedia").mockImplementation(
    () =>
      ({
        get matches() {
          return isSystemDark;
        },
        addEventListener: (_name: string, listener: () => void) => listeners.add(listener),
        removeEventListener: (_name: string, listener: () => void) => listeners.delete(listener),
      }) as unknown as MediaQueryList,
  );
});

function Place({ name }: { name: string }) {
  const [theme, choose] = useTheme();
  return (
    <section aria-label={name}>
      <p>{`${name}: ${theme}`}</p>
      <button onClick={() => choose("light")}>{`${name} light`}</button>
      <button onClick={() => choose("system")}>{`${name} system`}</button>
    </section>
  );
}

const isDark = (): boolean => document.documentElement.classList.contains("dark");

test("a choice made in one place is the choice in every other, whatever the system does then", async () => {
  render(
    <>
      <Place name="menu" />
      <Place name="palette" />
    </>,
  );
  turnSystem(true);
  expect(isDark()).toBe(true);
  await userEvent.click(screen.getByRole("button", { name: "palette light" }));
  expect(screen.getByText("menu: light")).toBeInTheDocument();
  expect(isDark()).toBe(false);
  turnSystem(false);
  turnSystem(true);
  expect(isDark()).toBe(false);
  await userEvent.click(screen.getByRole("button", { name: "menu system" }));
  expect(screen.getByText("palette: system")).toBeInTheDocument();
  expect(isDark()).toBe(true);
});

test("another tab's choice is taken over", () => {
  render(<Place name="menu" />);
  localStorage.setItem("iafa.theme", "dark");
  act(() => window.dispatchEvent(new StorageEvent("storage", { key: "iafa.theme", newValue: "dark" })));
  expect(screen.getByText("menu: dark")).toBeInTheDocument();
  expect(isDark()).toBe(true);
});

test("without storage the choice lasts while the page is open", async () => {
  vi.spyOn(Storage.prototype, "setItem").mockImplementation(() => {
    throw new DOMException("denied");
  });
  render(<Place name="menu" />);
  turnSystem(true);
  await userEvent.click(screen.getByRole("button", { name: "menu light" }));
  expect(screen.getByText("menu: light")).toBeInTheDocument();
  expect(isDark()).toBe(false);
});
