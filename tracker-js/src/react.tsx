/** A thin layer for React: starts the tracker once, and hands its functions to components. */
import * as iafa from 'iafa-tracker';
import { createContext, useContext, useEffect, type ReactElement, type ReactNode } from 'react';

type Calls = Omit<iafa.Tracker, 'init'>;
const Context = createContext<Calls>(iafa);
let hasStarted = false;

export interface IafaProviderProps {
  /** Those of `init`; later changes of them are ignored. */
  options: iafa.Options;
  children?: ReactNode;
}

/** Starts the tracker when it is first shown. */
export function IafaProvider({ options, children }: IafaProviderProps): ReactElement {
  useEffect(() => {
    // React shows a component twice in development; the second call would only warn.
    if (!hasStarted) iafa.init(options);
    hasStarted = true;
  }, [options]);
  return <Context.Provider value={iafa}>{children}</Context.Provider>;
}

/** The tracker's functions; they never change, so they may stand in dependency lists. */
export function useIafa(): Calls {
  return useContext(Context);
}
