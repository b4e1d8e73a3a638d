import { t } from "@/lib/strings";
import { ChevronRight } from "lucide-react";
import type { ReactNode } from "react";
import { Link } from "react-router";

interface Props {
  title: string;
  parent?: { to: string; label: string };
  lead?: ReactNode;
  children?: ReactNode;
}

export function PageHead({ title, parent, lead, children }: Props) {
  return (
    <header className="mb-6">
      <title>{`${title} · ${t.product}`}</title>
      <div className="flex flex-wrap items-center justify-between gap-x-6 gap-y-3">
        <div className="flex min-h-9 min-w-0 items-center gap-1.5 text-xl tracking-[-0.015em]">
          {parent && (
            <>
              <Link to={parent.to} className="shrink-0 rounded text-ink-faint transition-colors hover:text-ink">
                {parent.label}
              </Link>
              <ChevronRight aria-hidden className="size-4 shrink-0 text-ink-faint" />
            </>
          )}
          <h1 dir="auto" className="stranger line-clamp-2 min-w-0 font-semibold">
            {title}
          </h1>
        </div>
        {children && <div className="flex flex-wrap items-center gap-2">{children}</div>}
      </div>
      {lead && <p className="mt-3 line-clamp-4 max-w-[96ch] text-base sm:mt-1.5 text-pretty text-ink-soft">{lead}</p>}
    </header>
  );
}
