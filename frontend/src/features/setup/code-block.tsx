import { cn } from "@/lib/class-names";
import { CopyButton } from "@/ui/copy-button";

interface Props {
  code: string;
  label: string;
  copyLabel?: string;
  onCopied?: () => void;
  className?: string;
}

export function CodeBlock({ code, label, copyLabel, onCopied, className }: Props) {
  return (
    <div className={cn("flex flex-col overflow-hidden rounded-lg border border-line bg-sunken sm:flex-row", className)}>
      <pre
        tabIndex={0}
        aria-label={label}
        className="max-h-80 min-w-0 flex-1 overflow-auto px-4 py-3 font-mono text-xs leading-[1.75] whitespace-pre-wrap text-ink [overflow-wrap:anywhere]"
      >
        <code>{code}</code>
      </pre>
      <div className="flex shrink-0 justify-end p-2 pt-0 sm:pt-2">
        <CopyButton text={code} {...(copyLabel && { label: copyLabel })} {...(onCopied && { onCopied })} />
      </div>
    </div>
  );
}
