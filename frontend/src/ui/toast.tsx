import { cn } from "@/lib/class-names";
import { t } from "@/lib/strings";
import { CircleAlert, CircleCheck, X } from "lucide-react";
import { createContext, useCallback, useContext, useEffect, useRef, useState, type ReactNode } from "react";
import { Button } from "./button";

interface Message {
  tone?: "positive" | "danger";
  text: string;
  /** One thing to do about it, such as taking it back. */
  action?: { label: string; run: () => void };
  /** How long it stays, in milliseconds. */
  shown_ms?: number;
}

interface Shown extends Message {
  id: number;
}

const SHOWN_MAX = 3;
const SHOWN_MS = 5_000;
const ToastContext = createContext<(message: Message) => void>(() => undefined);

export function useToast(): (message: Message) => void {
  return useContext(ToastContext);
}

export function ToastProvider({ children }: { children: ReactNode }) {
  const [shown, setShown] = useState<Shown[]>([]);
  const next = useRef(0);
  const push = useCallback((message: Message) => {
    next.current += 1;
    const id = next.current;
    setShown((old) => [...old, { ...message, id }].slice(-SHOWN_MAX));
  }, []);
  const drop = useCallback((id: number) => setShown((old) => old.filter((one) => one.id !== id)), []);
  return (
    <ToastContext value={push}>
      {children}
      <div
        role="status"
        aria-live="polite"
        className="pointer-events-none fixed inset-x-4 bottom-4 z-50 flex flex-col items-center gap-2 sm:items-end"
      >
        {shown.map((one) => (
          <Toast key={one.id} message={one} onClose={drop} />
        ))}
      </div>
    </ToastContext>
  );
}

function Toast({ message, onClose }: { message: Shown; onClose: (id: number) => void }) {
  useEffect(() => {
    const timer = setTimeout(() => onClose(message.id), message.shown_ms ?? SHOWN_MS);
    return () => clearTimeout(timer);
  }, [message.id, message.shown_ms, onClose]);
  const Icon = message.tone === "danger" ? CircleAlert : CircleCheck;
  return (
    <div className="pointer-events-auto flex max-w-sm animate-rise items-center gap-2.5 rounded-xl border border-line bg-surface py-2.5 pr-2 pl-3.5 text-sm shadow-pop">
      <Icon aria-hidden className={cn("size-4 shrink-0", message.tone === "danger" ? "text-danger" : "text-positive")} />
      <span className="stranger">{message.text}</span>
      {message.action && (
        <Button
          size="sm"
          variant="ghost"
          className="text-accent-ink"
          onClick={() => {
            message.action?.run();
            onClose(message.id);
          }}
        >
          {message.action.label}
        </Button>
      )}
      <button
        type="button"
        aria-label={t.actions.close}
        className="grid size-6 place-items-center rounded-md text-ink-faint hover:bg-hover"
        onClick={() => onClose(message.id)}
      >
        <X aria-hidden className="size-3.5" />
      </button>
    </div>
  );
}
