import { render, screen } from "@testing-library/react";
import { expect, test } from "vitest";
import { AnswerFoot } from "./answer-foot";

const ANSWER = {
  date_range: { start: "2026-11-01", end: "2026-11-07" },
  timezone: "UTC",
  as_of: "2026-11-07T12:00:00Z",
  data_version: "4.1",
  semantics_version: 1,
  rows_read: 10,
  elapsed_ms: 5,
};

test.each([
  [{}, false, null],
  [{ sampling: null, smallest_sample_rate: null }, false, null],
  [{ sampling: "by_user", smallest_sample_rate: 0.25 }, false, "from a sample of people, at least 25.0% kept"],
  [{ sampling: "biased", smallest_sample_rate: null }, false, "from a sample of events"],
  [{}, true, "from a sample"],
] as const)("of %j, sampled %s, the foot says %j", (sampling, isSampled, mark) => {
  render(<AnswerFoot answer={{ ...ANSWER, ...sampling }} isLive={false} isSampled={isSampled} />);
  if (mark === null) expect(screen.queryByText(/sample/)).not.toBeInTheDocument();
  else expect(screen.getByText(mark)).toBeInTheDocument();
  expect(screen.getByTitle(/^Goes up whenever events come in/)).toHaveTextContent("data version 4.1");
});

test.each([
  [true, "compared with 1 – 7 Oct 2026; today is not over"],
  [false, "compared with 1 – 7 Oct 2026"],
])("a range with today in it (%s) is not compared with whole days in silence", (isLive, said) => {
  render(<AnswerFoot answer={ANSWER} isLive={isLive} compared={{ start: "2026-10-01", end: "2026-10-07" }} />);
  expect(screen.getByText(said)).toBeInTheDocument();
});
