import { saveFile } from "@/api/files";
import type { Funnel, Receipt } from "@/api/types";
import { CodeBlock } from "@/features/setup/code-block";
import { Button } from "@/ui/button";
import { useToast } from "@/ui/toast";
import { BookOpenText } from "lucide-react";
import { useState } from "react";
import { notebookFile, type AskedRange } from "./report-queries";
import { w } from "./words";

/** The number found again elsewhere: by the command line, or in a notebook without the service. */
export function ReceiptMore({ funnel, range, receipt }: { funnel: Funnel; range: AskedRange; receipt: Receipt }) {
  const [isBusy, setBusy] = useState(false);
  const toast = useToast();
  const take = async (): Promise<void> => {
    setBusy(true);
    try {
      await saveFile(notebookFile(funnel, range), w.receipt.notebookFile);
    } catch {
      toast({ tone: "danger", text: w.receipt.notebookFailed });
    } finally {
      setBusy(false);
    }
  };
  return (
    <>
      <section>
        <h3 className="mb-2 font-semibold">{w.receipt.command}</h3>
        <p className="mb-2 text-ink-soft">{receipt.method === "sql" ? w.receipt.commandLead : w.receipt.commandPaths}</p>
        <CodeBlock code={sqlCommand(funnel.project_id, receipt.sql)} label={w.receipt.command} copyLabel={w.receipt.copyCommand} />
      </section>
      <section>
        <h3 className="mb-2 font-semibold">{w.receipt.notebook}</h3>
        <p className="mb-2 text-ink-soft">{w.receipt.notebookLead}</p>
        <Button size="sm" busy={isBusy} onClick={() => void take()}>
          <BookOpenText aria-hidden className="size-3.5 text-ink-faint" />
          {w.receipt.download}
        </Button>
      </section>
    </>
  );
}

/** A line that a shell takes as it is, whatever is in the statement. */
const sqlCommand = (projectId: string, sql: string): string => `iafa sql ${projectId} <<'IAFA_SQL'\n${sql}\nIAFA_SQL`;
