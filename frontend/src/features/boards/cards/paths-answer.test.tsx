import type { Answers } from "@/api/saved-types";
import { render, screen } from "@testing-library/react";
import { expect, test } from "vitest";
import { PathsAnswerCard } from "./paths-answer";

test("a way that goes on reads otherwise than one that ends there", () => {
  const names = ["add_to_cart", "checkout_start"];
  const paths = [
    { names, entities: 982, percent: 12, is_whole: false },
    { names, entities: 555, percent: 7, is_whole: true },
  ];
  render(<PathsAnswerCard answer={{ paths } as Answers["paths"]} />);
  const rows = screen.getAllByRole("listitem").map((row) => row.textContent);
  expect(rows[0]).toContain("add_to_cart → checkout_start → …");
  expect(rows[1]).toContain("checkout_start");
  expect(rows[1]).not.toContain("…");
});
