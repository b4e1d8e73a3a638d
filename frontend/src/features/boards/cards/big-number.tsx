import { count, compactCount } from "@/lib/format";
import type { ReactNode } from "react";

interface Props {
  /** A number is shortened when it is large; a text is shown as it is. */
  value: number | string;
  label?: string;
  children?: ReactNode;
}

/** The number of a card, before its picture. */
export function BigNumber({ value, label, children }: Props) {
  const text = typeof value === "number" ? compactCount(value) : value;
  return (
    <p className="flex flex-wrap items-baseline gap-x-3">
      <span title={typeof value === "number" ? count(value) : undefined} className="figures text-2xl font-semibold tracking-[-0.03em]">
        {text}
      </span>
      {label && (
        <span dir="auto" className="stranger figures line-clamp-1 text-sm text-ink-soft">
          {label}
        </span>
      )}
      {children}
    </p>
  );
}

export function Nothing({ text }: { text: string }) {
  return <p className="grid h-full place-items-center p-4 text-center text-sm text-ink-faint">{text}</p>;
}
