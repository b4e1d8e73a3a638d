import { t } from "@/lib/strings";
import { Button } from "@/ui/button";
import { CopyButton } from "@/ui/copy-button";
import { useQueryClient } from "@tanstack/react-query";
import { KeyRound } from "lucide-react";
import { forgetSecret, useFreshSecret } from "./fresh-secret";

export function SecretCard({ projectId }: { projectId: string }) {
  const secret = useFreshSecret(projectId);
  const client = useQueryClient();
  if (!secret) return null;
  const words = t.projects.secret;
  return (
    <section className="mb-6 flex gap-4 rounded-xl border border-warning/40 bg-warning-wash p-5">
      <KeyRound aria-hidden className="mt-0.5 size-5 shrink-0 text-warning" />
      <div className="min-w-0 flex-1">
        <h2 className="font-semibold">{words.title}</h2>
        <p className="mt-0.5 max-w-[65ch] text-sm text-ink-soft">{words.text}</p>
        <div className="mt-3 flex flex-wrap items-center gap-2">
          <code aria-label={words.label} className="max-w-full rounded-md border border-line bg-surface px-2.5 py-1.5 font-mono text-sm break-all">
            {secret}
          </code>
          <CopyButton text={secret} />
          <Button size="sm" variant="ghost" onClick={() => forgetSecret(client, projectId)}>
            {words.done}
          </Button>
        </div>
      </div>
    </section>
  );
}
