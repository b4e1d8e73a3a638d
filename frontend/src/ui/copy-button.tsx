import { t } from "@/lib/strings";
import { Check, Copy } from "lucide-react";
import { useEffect, useState, type ComponentProps } from "react";
import { Button } from "./button";
import { useToast } from "./toast";

interface Props extends Omit<ComponentProps<typeof Button>, "children" | "onClick"> {
  text: string;
  label?: string;
  onCopied?: () => void;
}

export function CopyButton({ text, label = t.actions.copy, onCopied, size = "sm", ...rest }: Props) {
  const [copied, setCopied] = useState(false);
  const toast = useToast();
  useEffect(() => {
    if (!copied) return;
    const timer = setTimeout(() => setCopied(false), 2_000);
    return () => clearTimeout(timer);
  }, [copied]);
  const copy = async () => {
    try {
      await navigator.clipboard.writeText(text);
      setCopied(true);
      onCopied?.();
    } catch {
      // Plain http on another host has no clipboard; the text stays selectable.
      toast({ tone: "danger", text: t.actions.copyFailed });
    }
  };
  return (
    <Button size={size} onClick={() => void copy()} {...rest}>
      {copied ? <Check aria-hidden className="size-3.5 text-positive" /> : <Copy aria-hidden className="size-3.5" />}
      <span aria-live="polite">{copied ? t.actions.copied : label}</span>
    </Button>
  );
}
