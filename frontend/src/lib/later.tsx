import { createElement, useSyncExternalStore, type Attributes, type FunctionComponent, type ReactNode } from "react";

/** A component whose script comes when it is first drawn, or when somebody has begun earlier. */
export interface Later<Props> {
  begin: () => void;
  subscribe: (tell: () => void) => () => void;
  /** null until the script is there. Throws what went wrong on its way. */
  now: () => FunctionComponent<Props> | null;
}

export function later<Props>(load: () => Promise<{ default: FunctionComponent<Props> }>): Later<Props> {
  let component: FunctionComponent<Props> | null = null;
  let failure: { error: unknown } | null = null;
  let hasBegun = false;
  const listeners = new Set<() => void>();
  const begin = (): void => {
    if (hasBegun) return;
    hasBegun = true;
    load()
      .then(
        (script) => (component = script.default),
        (error: unknown) => (failure = { error }),
      )
      .finally(() => listeners.forEach((tell) => tell()));
  };
  return {
    begin,
    subscribe: (tell) => {
      listeners.add(tell);
      begin();
      return () => listeners.delete(tell);
    },
    now: () => {
      if (failure) throw failure.error;
      return component;
    },
  };
}

interface Props<Theirs extends object> {
  of: Later<Theirs>;
  instead: ReactNode;
  with: Theirs & Attributes;
}

/**
 * The component, or what stands `instead` until its script is there. Unlike React's `lazy` it is drawn at once where the
 * script has come already: `lazy` suspends even then, and React holds back for 300 ms what replaces a stand-in.
 */
export function Loaded<Theirs extends object>({ of, instead, with: props }: Props<Theirs>): ReactNode {
  const Component = useSyncExternalStore(of.subscribe, of.now);
  return Component ? createElement(Component, props) : instead;
}
