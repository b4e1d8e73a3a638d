/** Every page that is opened by its address has the key "default": what was scrolled on one would scroll the next. */
export const placeKey = ({ key, pathname, search }: Pick<Location, "pathname" | "search"> & { key: string }): string => (key === "default" ? pathname + search : key);
