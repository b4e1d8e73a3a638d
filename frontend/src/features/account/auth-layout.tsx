import { useTheme } from "@/app/theme";
import { t } from "@/lib/strings";
import { Mark } from "@/ui/mark";
import type { ReactNode } from "react";
import { Link } from "react-router";

interface Props {
  title: string;
  lead: string;
  other: { text: string; link: string; to: string };
  children: ReactNode;
}

export function AuthLayout({ title, lead, other, children }: Props) {
  useTheme();
  return (
    <main className="grid min-h-dvh place-items-center px-4 py-10">
      <title>{`${title} · ${t.product}`}</title>
      <div className="w-full max-w-88">
        <div className="mb-8 flex items-center gap-3">
          <Mark className="size-9" />
          <div>
            <p className="font-semibold tracking-[-0.01em]">{t.product}</p>
            <p className="text-sm text-ink-faint">{t.tagline}</p>
          </div>
        </div>
        <h1 className="text-2xl font-semibold tracking-[-0.022em]">{title}</h1>
        <p className="mt-1 mb-6 text-ink-soft">{lead}</p>
        {children}
        <p className="mt-6 text-sm text-ink-soft">
          {other.text}{" "}
          <Link to={other.to} className="rounded font-medium text-accent-ink underline-offset-4 hover:underline">
            {other.link}
          </Link>
        </p>
      </div>
    </main>
  );
}
