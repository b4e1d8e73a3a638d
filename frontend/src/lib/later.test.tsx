import { render, screen } from "@testing-library/react";
import { Component, type ReactNode } from "react";
import { expect, test, vi } from "vitest";
import { later, Loaded, type Later } from "./later";

const Chart = ({ name }: { name: string }) => <p>{name}</p>;

const Place = ({ of }: { of: Later<{ name: string }> }) => <Loaded of={of} instead={<progress />} with={{ name: "people" }} />;

class Boundary extends Component<{ children: ReactNode }, { error: unknown }> {
  override state = { error: null };
  static getDerivedStateFromError = (error: unknown) => ({ error });
  override render() {
    return this.state.error === null ? this.props.children : <p>{String(this.state.error)}</p>;
  }
}

test("its script is loaded once, for all places, when the first is drawn", async () => {
  const load = vi.fn(() => Promise.resolve({ default: Chart }));
  const chart = later(load);
  expect(load).not.toHaveBeenCalled();
  render(<><Place of={chart} /><Place of={chart} /></>);
  expect(screen.getAllByRole("progressbar")).toHaveLength(2);
  expect(await screen.findAllByText("people")).toHaveLength(2);
  expect(load).toHaveBeenCalledOnce();
});

test("a script that has come already is drawn in the first pass", async () => {
  const chart = later(() => Promise.resolve({ default: Chart }));
  chart.begin();
  await vi.waitFor(() => expect(chart.now()).not.toBeNull());
  render(<Place of={chart} />);
  expect(screen.queryByRole("progressbar")).toBeNull();
  expect(screen.getByText("people")).toBeInTheDocument();
});

test("a script that does not come is an error of the place where it belongs", async () => {
  const silent = vi.spyOn(console, "error").mockImplementation(() => undefined);
  const chart = later<{ name: string }>(() => Promise.reject(new Error("no such file")));
  render(<Boundary><Place of={chart} /></Boundary>);
  expect(await screen.findByText("Error: no such file")).toBeInTheDocument();
  silent.mockRestore();
});
