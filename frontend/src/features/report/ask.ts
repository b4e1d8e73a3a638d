/** One way to ask any report: the same question gives the numbers, its receipt and its files. */
import { saveFile } from "@/api/files";
import type { Receipt } from "@/api/types";
import { keepPreviousData, queryOptions } from "@tanstack/react-query";
import type { FileFormat } from "./report-menu";

export interface ReportSource<Question, Answer> {
  /** Names the report in caches and file names. */
  name: string;
  path: string;
  ask: (question: Question, signal?: AbortSignal) => Promise<Answer>;
}

interface Frame {
  include: ("compare" | "receipt")[];
}

/** Null asks nothing: the question is not whole yet. `pollMs` asks again while the page is open. */
export function reportQuery<Question extends Frame, Answer>(source: ReportSource<Question, Answer>, question: Question | null, pollMs: number | false = false) {
  return queryOptions({
    queryKey: ["report", source.name, question],
    queryFn: ({ signal }) => {
      if (question === null) throw new Error("nothing is asked");
      return source.ask(question, signal);
    },
    enabled: question !== null,
    placeholderData: keepPreviousData,
    refetchInterval: pollMs,
  });
}

/** The receipt belongs to the range itself, not to the days compared with. */
export async function receiptOf<Question extends Frame, Answer extends { receipt?: unknown }>(source: ReportSource<Question, Answer>, question: Question): Promise<Receipt> {
  const answer = await source.ask({ ...question, include: ["receipt"] });
  return answer.receipt as Receipt;
}

export function exportReport<Question extends Frame, Answer>(source: ReportSource<Question, Answer>, question: Question, format: FileFormat): Promise<void> {
  const isOfFile = (name: string): boolean => name !== "include" && !name.startsWith("compare_");
  const body = Object.fromEntries(Object.entries(question).filter(([name]) => isOfFile(name)));
  return saveFile(source.path, `${source.name}.${format}`, { ...body, format });
}
