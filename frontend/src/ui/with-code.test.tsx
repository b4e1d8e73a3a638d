import { render } from "@testing-library/react";
import { expect, test } from "vitest";
import { WithCode } from "./with-code";

test.each([
  ["Run `iafa backup` now.", "Run iafa backup now.", ["iafa backup"]],
  ["`a` and `b`", "a and b", ["a", "b"]],
  ["no code", "no code", []],
  ["one ` alone", "one ` alone", []],
])("%s", (text, shown, code) => {
  const { container } = render(<WithCode text={text} />);
  expect(container.textContent).toBe(shown);
  expect([...container.querySelectorAll("code")].map((one) => one.textContent)).toEqual(code);
});
