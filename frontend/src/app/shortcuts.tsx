import { t } from "@/lib/strings";
import { Dialog } from "@/ui/dialog";
import { useEffect, useRef } from "react";
import { useMatch, useNavigate } from "react-router";
import { paths } from "./paths";

const SEQUENCE_MS = 1_000;

function isTyping(target: EventTarget | null): boolean {
  if (!(target instanceof HTMLElement)) return false;
  return target.isContentEditable || target.closest("input, textarea, select, dialog, [role=menu]") !== null;
}

/** The address a key leads to; null when the key means nothing here. */
function destination(keys: string, projectId: string | undefined, funnelId: string | undefined): string | null {
  if (keys === "gp") return paths.projects;
  if (!projectId) return null;
  if (keys === "gf") return paths.funnels(projectId);
  if (keys === "gt") return paths.setup(projectId);
  if (keys === "gs") return paths.settings(projectId);
  if (keys === "n") return paths.newFunnel(projectId);
  if (keys === "e" && funnelId && funnelId !== "new") return paths.editFunnel(projectId, funnelId);
  return null;
}

interface Props {
  isHelpOpen: boolean;
  onHelp: (open: boolean) => void;
}

export function Shortcuts({ isHelpOpen, onHelp }: Props) {
  const navigate = useNavigate();
  const projectId = useMatch("/p/:projectId/*")?.params.projectId;
  const funnelId = useMatch("/p/:projectId/funnels/:funnelId")?.params.funnelId;
  const started = useRef(0);
  useEffect(() => {
    const onKeyDown = (event: KeyboardEvent): void => {
      if (event.metaKey || event.ctrlKey || event.altKey || event.defaultPrevented || isTyping(event.target)) return;
      const isSecond = Date.now() - started.current < SEQUENCE_MS;
      started.current = event.key === "g" && !isSecond ? Date.now() : 0;
      if (event.key === "?") return onHelp(true);
      const to = destination((isSecond ? "g" : "") + event.key, projectId, funnelId);
      if (!to) return;
      event.preventDefault();
      void navigate(to);
    };
    globalThis.addEventListener("keydown", onKeyDown);
    return () => globalThis.removeEventListener("keydown", onKeyDown);
  }, [navigate, onHelp, projectId, funnelId]);
  return (
    <Dialog open={isHelpOpen} onClose={() => onHelp(false)} title={t.shortcuts.title}>
      <dl className="mt-4 grid grid-cols-[auto_1fr] items-center gap-x-6 gap-y-2 text-sm">
        {t.shortcuts.list.map((shortcut) => (
          <div key={shortcut.text} className="contents">
            <dt className="flex gap-1">
              {shortcut.keys.map((key) => (
                <Key key={key}>{key}</Key>
              ))}
            </dt>
            <dd className="text-ink-soft">{shortcut.text}</dd>
          </div>
        ))}
      </dl>
    </Dialog>
  );
}

function Key({ children }: { children: string }) {
  return (
    <kbd className="inline-grid h-6 min-w-6 place-items-center rounded-md border border-line bg-sunken px-1.5 font-sans text-xs font-medium text-ink-soft">
      {children}
    </kbd>
  );
}

